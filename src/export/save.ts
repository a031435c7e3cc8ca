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

/** Writes the file to the place that was chosen. */
export async function saveBlob(blob: Blob, destination: Destination): Promise<void> {
  if (destination.type === 'handle') {
    const stream = await destination.handle.createWritable()
    await stream.write(blob)
    await stream.close()
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
