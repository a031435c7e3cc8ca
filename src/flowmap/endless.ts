/**
 * The rollout without an end. Memory and time a chunk stay bounded: the context is a window of as many chunks as the
 * model has seen in training, the first chunk of the take among them for good (a sink: it holds what the clip is of),
 * and positions are counted within the window, so that none is ever larger than in training.
 */

import { type Chunk, type ChunkPlan, framesOf, planChunks } from './chunks'
import { splitContext } from './context'
import type { FlowMapModel, RolloutEvent } from './rollout'

export interface EndlessOptions<L> {
  readonly plan: ChunkPlan
  /** Latent frames of the window, the chunk being made included; at least three chunks. */
  readonly windowFrames: number
  /** `steps + 1` values from 1 to 0 for a chunk, which is numbered from the beginning. */
  readonly sigmas: (chunk: Chunk) => Float64Array
  readonly fullChunkLimit: number
  /** Clean latents of the first chunks, given instead of made, fewer than the window has. The rollout owns them. */
  readonly known?: readonly L[]
  /**
   * Asked before and after every pass; true once when the newest finished chunk is to be made again. Without effect on the
   * very first chunk, a given one, and twice in a row: no more is remembered than the state before one chunk.
   */
  readonly redo?: () => boolean
}

/** The latents of `chunk` are gone, and it is made again; what was under way after it is gone too. */
export interface UndoEvent {
  readonly type: 'undo'
  readonly chunk: Chunk
}

/** The chunk of a take without an end, counted from the beginning. */
export function endlessChunk(index: number, plan: ChunkPlan): Chunk {
  if (index === 0) return { index, first: 0, count: plan.first }
  return { index, first: plan.first + (index - 1) * plan.rest, count: plan.rest }
}

/**
 * As `rollout`, chunk after chunk until the consumer stops asking. The cache is written when the next chunk is asked
 * for, over the whole window: text that has changed by then counts for all of it.
 * @throws RangeError when the window has fewer than three chunks.
 */
export async function* endlessRollout<L, K>(
  model: FlowMapModel<L, K>,
  options: EndlessOptions<L>,
): AsyncGenerator<RolloutEvent<L> | UndoEvent, void, void> {
  const { plan, sigmas, fullChunkLimit } = options
  const known = options.known ?? []
  // What the model sees: chunks numbered and placed as in a clip of the window's length.
  const window = planChunks(options.windowFrames, plan)
  const history: L[] = []
  let current: L | undefined
  /** What the pass under way started from; it and `current` are the same until there is a result. */
  let before: L | undefined
  let cache: K | undefined
  let taken = 0
  /** The chunk that left the window when the newest came. */
  let spare: L | undefined
  /** True while the newest finished chunk can be made again. */
  let undoable = false
  const undoes = (): boolean => options.redo?.() === true && undoable
  const write = (): Promise<K> =>
    model.writeCache(splitContext(window.slice(0, history.length), fullChunkLimit), history)
  try {
    if (window.length < 3) throw new RangeError('a window has at least three chunks')
    cache = await model.emptyCache()
    for (let index = 0; ; index++) {
      const chunk = endlessChunk(index, plan)
      const place = window[history.length]!
      const given = known[index]
      if (given === undefined) {
        const positions = framesOf(place)
        const schedule = sigmas(chunk)
        current = await model.noise(chunk)
        let undo = undoes()
        for (let i = 0; !undo && i + 1 < schedule.length; i++) {
          const t = schedule[i]!
          const r = schedule[i + 1]!
          before = current
          current = await model.step(before, t, r, positions, cache)
          yield { type: 'pass', chunk, step: i + 1, t, r, before, after: current }
          model.releaseLatents(before)
          before = undefined
          undo = undoes()
        }
        if (undo) {
          model.releaseLatents(current)
          current = undefined
          model.releaseLatents(history.pop()!)
          if (spare !== undefined) history.splice(1, 0, spare)
          spare = undefined
          undoable = false
          const written = await write()
          model.releaseCache(cache)
          cache = written
          yield { type: 'undo', chunk: endlessChunk(index - 1, plan) }
          // The loop's own step leads back to it.
          index -= 2
          continue
        }
      } else {
        current = given
        taken++
      }
      history.push(current)
      yield { type: 'chunk', chunk, latents: current, known: given !== undefined }
      current = undefined
      // The next chunk needs a place in the window: the oldest after the sink gives up its own.
      if (spare !== undefined) model.releaseLatents(spare)
      spare = history.length === window.length ? history.splice(1, 1)[0] : undefined
      undoable = index > 0 && given === undefined
      if (known[index + 1] !== undefined) continue
      const written = await write()
      model.releaseCache(cache)
      cache = written
      yield { type: 'cache', chunk }
    }
  } finally {
    if (before !== undefined && before !== current) model.releaseLatents(before)
    if (current !== undefined && !history.includes(current)) model.releaseLatents(current)
    for (const latents of history) model.releaseLatents(latents)
    if (spare !== undefined) model.releaseLatents(spare)
    for (const latents of known.slice(taken)) model.releaseLatents(latents)
    if (cache !== undefined) model.releaseCache(cache)
  }
}
