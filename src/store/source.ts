import { createStore, type StoreApi } from 'zustand/vanilla'

import type { Clip } from '../media/clip'
import type { Picture } from '../media/picture'
import type { Manifest } from '../models/manifest'

/** What a take begins with: nothing, an image, or the end of a clip. */
export type Task = 'text' | 'image' | 'continue'

/** Tasks that something is given to. */
export type GivenTask = Exclude<Task, 'text'>

/** The image or clip being edited. */
export interface SourceState {
  readonly task: Task
  readonly picture: Picture | undefined
  /** Where the crop lies along the picture's longer side, 0..1. */
  readonly position: number
  readonly clip: Clip | undefined
  /** Frames of the clip before the cut, 1 to all. */
  readonly cut: number
  /** True for the tasks that something is being opened for. */
  readonly busy: Readonly<Record<GivenTask, boolean>>
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
    busy: { image: false, continue: false },
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

/** Why a take of so many frames cannot go on from the frames before a cut, and what to do; `undefined` when it can. */
export function leadProblem(
  lengths: readonly number[],
  frames: number,
  available: number,
): string | undefined {
  if (leadLength(lengths, frames, available) !== undefined) return undefined
  const fewest = lengths[0] ?? 1
  return available < fewest
    ? `The model needs ${fewest} frames before the cut. Move the cut point later, or choose a longer video.`
    : 'Nothing would be left to make. Choose a longer Length.'
}

/** What is said of the frames that lead into a take. @param endless the take goes on until it is stopped. */
export function describeLead(given: number, frames: number, endless: boolean): string {
  const lead =
    given === 1 ? 'The last frame before the cut leads in' : `The last ${given} frames before the cut lead in`
  return endless ? `${lead}, new ones follow until you stop.` : `${lead}, ${frames - given} are new.`
}

/** Said of the tasks that a model without an encoder cannot do; `undefined` for other models. */
export function encoderProblem(manifest: Pick<Manifest, 'name' | 'graphs'> | undefined): string | undefined {
  if (!manifest || manifest.graphs.encoder) return undefined
  return `${manifest.name} makes clips from text alone: it has no encoder for images and clips. Go to the Text tab, or choose another model under Models.`
}
