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
  if (await applyNote(target, file)) return
  if (file.type.startsWith('video/')) {
    await target.sources.useFile(file)
    return
  }
  target.request.setState({ notices: [refusal(file.name)] })
}

/**
 * Imports a file that was chosen in the gallery: a kept take, or an exported MP4, whose settings come back whatever the task.
 * Here no clip is asked for, so that a video without settings is refused in a notice.
 */
export async function importFile(target: FileTarget, file: File): Promise<void> {
  const isVideo = file.type.startsWith('video/') || file.name.endsWith('.mp4')
  if (!isVideo) await target.gallery.importFile(file)
  else if (!(await applyNote(target, file))) {
    target.request.setState({
      notices: [
        `${file.name} holds no settings of this app. Choose an MP4 that was exported here, or a .${TAKE_FILE_EXTENSION} take; ` +
          'a video to go on from is opened under Continue.',
      ],
    })
  }
}

/** Puts the settings in an exported MP4 into the request. @returns false when it has none */
async function applyNote(target: SettingsTarget, file: File): Promise<boolean> {
  const text = await readSettings(file)
  const note = text === undefined ? undefined : readNote(text)
  if (note) await applySettings(target, note.settings, note.notices)
  return note !== undefined
}

function refusal(name: string): string {
  return name.endsWith('.mp4')
    ? `${name} holds no settings of this app, and is no video that it can read. Drop an MP4 that was exported here, or a ` +
        `.${TAKE_FILE_EXTENSION} take.`
    : `${name} cannot be opened here. Drop an image, a video, or a .${TAKE_FILE_EXTENSION} take.`
}
