import { ExportError } from './exporter'

/** Where a file goes: a place the user picked, or the browser's downloads. */
export type Destination =
  | { readonly type: 'download'; readonly fileName: string }
  | { readonly type: 'handle'; readonly handle: FileSystemFileHandle }

type SavePicker = (options: {
  suggestedName: string
  types: { description: string; accept: Record<string, string[]> }[]
}) => Promise<FileSystemFileHandle>

/** What the picker says about a file, by its extension. */
const fileTypes: Record<string, { description: string; accept: Record<string, string[]> }[]> = {
  '.mp4': [{ description: 'MP4 video', accept: { 'video/mp4': ['.mp4'] } }],
  '.gif': [{ description: 'GIF animation', accept: { 'image/gif': ['.gif'] } }],
  '.png': [{ description: 'PNG image', accept: { 'image/png': ['.png'] } }],
}

/**
 * Asks where to save where the browser can ask and a person is there to answer. Must be called straight from a click:
 * the picker needs it.
 * @returns `undefined` when the user closed the picker
 */
export async function chooseDestination(fileName: string): Promise<Destination | undefined> {
  const picker = (globalThis as { showSaveFilePicker?: SavePicker }).showSaveFilePicker
  if (!picker || navigator.webdriver) return { type: 'download', fileName }
  try {
    const types = fileTypes[fileName.slice(fileName.lastIndexOf('.'))] ?? []
    return { type: 'handle', handle: await picker.call(globalThis, { suggestedName: fileName, types }) }
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return undefined
    // The picker is not allowed here (an embedded page, no click): a download always is.
    return { type: 'download', fileName }
  }
}

/**
 * Clears up at the place that was chosen when nothing came of the file. The picker creates the file that is named in it, and
 * empties one that is there already, before the page has written a byte (File System Access, `showSaveFilePicker`; WICG
 * issue 360). What was in it cannot be given back, and an emptied file looks like a new one. One with something in it is
 * left alone: not every picker empties, and what an export writes takes its place only when it is whole.
 * @returns what people should know of it; nothing to say is ''
 */
export async function discardDestination(destination: Destination): Promise<string> {
  if (destination.type === 'download') return ''
  const handle: FileSystemFileHandle & { remove?(): Promise<void> } = destination.handle
  const isEmpty = await handle.getFile().then(
    ({ size }) => size === 0,
    // Gone, or not to be looked at.
    () => false,
  )
  if (!isEmpty) return ''
  const removed = handle.remove
    ? await handle.remove().then(
        () => true,
        () => false,
      )
    : false
  const what = removed ? `The empty ${handle.name} was removed.` : `${handle.name} was left empty: delete it.`
  return `${what} If it was to replace a file, the browser had emptied that one when you chose it.`
}

/** Writes the file to the place that was chosen. */
export async function saveBlob(blob: Blob, destination: Destination): Promise<void> {
  if (destination.type === 'handle') {
    const stream = await destination.handle.createWritable()
    try {
      await stream.write(blob)
      await stream.close()
    } catch (error) {
      await stream.abort().catch(() => undefined)
      const detail = error instanceof Error ? error.message : String(error)
      throw new ExportError(`The file could not be written: ${detail}. Make room, or choose another place.`)
    }
    return
  }
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = destination.fileName
  document.body.append(link)
  link.click()
  link.remove()
  // The download reads the blob after this returns.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
