import { readSettings } from '../export/metadata'
import { TAKE_FILE_EXTENSION } from '../gallery/take-file'
import { readNote } from './file-note'
import type { Gallery } from './gallery'
import { applySettings, type SettingsTarget } from './settings'
import type { Sources } from './sources'

export interface FileTarget extends SettingsTarget {
  readonly gallery: Pick<Gallery, 'importFile'>
  readonly sources: Pick<Sources, 'useFile' | 'store'>
}

/**
 * Opens a file by what it is and by the task: a kept take; for a task that begins with an image or a clip, that; an exported MP4
 * whose settings come back; an image or a clip. Others are named in a notice.
 */
export async function openFile(target: FileTarget, file: File): Promise<void> {
  if (file.name.endsWith(`.${TAKE_FILE_EXTENSION}`)) {
    await target.gallery.importFile(file)
    return
  }
  if (target.sources.store.getState().task !== 'text' || file.type.startsWith('image/')) {
    await target.sources.useFile(file)
    return
  }
  const text = await readSettings(file)
  const note = text === undefined ? undefined : readNote(text)
  if (note) {
    await applySettings(target, note.settings, note.problems)
    return
  }
  if (file.type.startsWith('video/')) {
    await target.sources.useFile(file)
    return
  }
  target.request.setState({ notices: [refusal(file.name)] })
}

function refusal(name: string): string {
  return name.endsWith('.mp4')
    ? `${name} holds no settings of this app, and is no video that it can read. Drop an MP4 that was exported here, or a ` +
        `.${TAKE_FILE_EXTENSION} take.`
    : `${name} cannot be opened here. Drop an image, a video, or a .${TAKE_FILE_EXTENSION} take.`
}
