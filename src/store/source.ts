import { createStore, type StoreApi } from 'zustand/vanilla'

import type { Clip } from '../media/clip'
import type { Picture } from '../media/picture'

/** What a take begins with: nothing, an image, or the end of a clip. */
export type Task = 'text' | 'image' | 'continue'

/** The image or clip being edited. */
export interface SourceState {
  readonly task: Task
  readonly picture: Picture | undefined
  /** Where the crop lies along the picture's longer side, 0..1. */
  readonly position: number
  readonly clip: Clip | undefined
  /** Frames of the clip before the cut, 1 to all. */
  readonly cut: number
  /** True while a file is being opened. */
  readonly busy: boolean
  /** What is wrong with the last file, for people. */
  readonly error: string | undefined
}

export type SourceStore = StoreApi<SourceState>

export function createSourceStore(): SourceStore {
  return createStore<SourceState>()(() => ({
    task: 'text',
    picture: undefined,
    position: 0.5,
    clip: undefined,
    cut: 1,
    busy: false,
    error: undefined,
  }))
}

/**
 * How many frames before a cut lead into a take: as many as whole chunks stand for, and at most half of the take, so
 * that most of it is new.
 * @param lengths frames that whole chunks stand for, ascending.
 * @param frames of the take, given ones included.
 * @param available frames before the cut.
 * @returns `undefined` when the model can begin with none of these numbers.
 */
export function leadLength(
  lengths: readonly number[],
  frames: number,
  available: number,
): number | undefined {
  const most = Math.min(available, Math.ceil(frames / 2))
  const fitting = lengths.filter((length) => length <= most && length < frames)
  return fitting.at(-1)
}
