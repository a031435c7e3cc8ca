/** Calls of the gallery worker: packing and storage stay off the page's thread. */

import type { TakeHead, Clip, StorageRoom, TakeRecord, WaitingTakes } from './records'

type NoArgs = Record<string, never>

export interface GalleryCalls {
  list: { args: NoArgs; result: TakeRecord[] }
  /**
   * Keeps frames `first ..` of a take, and lets chunks before frame `from` go; the first call for a take creates it.
   * `undefined` for a take that was removed: nothing of it is kept any more.
   */
  add: {
    args: { head: TakeHead; first: number; frames: Uint8ClampedArray<ArrayBuffer>[]; from?: number }
    result: TakeRecord | undefined
  }
  /** Frames from `first` on, where a chunk begins, are not part of the take any more. `undefined` for a removed take. */
  truncate: { args: { head: TakeHead; first: number }; result: TakeRecord | undefined }
  /** The take is over. `undefined` when nothing of it was kept. */
  finish: {
    args: { id: string; state: 'done' | 'stopped'; timings: TakeRecord['timings'] }
    result: TakeRecord | undefined
  }
  /** What a full disk refused. */
  waiting: { args: NoArgs; result: WaitingTakes }
  /** Writes what a full disk refused, now that there may be room. Gives what still waits. */
  retry: { args: NoArgs; result: WaitingTakes }
  clip: { args: { id: string }; result: Clip }
  /** Up to `count` frames, evenly spread, scaled down to at most `width` pixels wide. */
  thumbnails: { args: { id: string; width: number; count: number }; result: ImageBitmap[] }
  /** Hides a take or brings it back. */
  hide: { args: { id: string; hidden: boolean }; result: TakeRecord | undefined }
  remove: { args: { id: string }; result: undefined }
  exportFile: { args: { id: string }; result: Blob }
  importFile: { args: { file: Blob }; result: TakeRecord }
  room: { args: NoArgs; result: StorageRoom | undefined }
}
