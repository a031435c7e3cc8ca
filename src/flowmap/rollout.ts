/**
 * The chunk-causal any-step rollout over an abstract model. It knows neither tensors nor backends: `L` stands for the
 * latents of a chunk, `K` for a KV cache, and the model owns the memory of both.
 */

import { type Chunk, framesOf } from './chunks'
import { type ContextSplit, splitContext } from './context'

/** What a rollout needs from a model. */
export interface FlowMapModel<L, K> {
  /** Seeded noise for the frames of a chunk. */
  noise(chunk: Chunk): L | Promise<L>
  /** One flow-map step `z_r = z_t - (t - r) u(z_t, t, r)`. Leaves `latents` alone. */
  step(latents: L, t: number, r: number, positions: readonly number[], cache: K): Promise<L>
  /** The cache before the first chunk: nothing to see. */
  emptyCache(): K | Promise<K>
  /**
   * The cache over finished chunks.
   * @param history clean latents by chunk index.
   */
  writeCache(split: ContextSplit, history: readonly L[]): Promise<K>
  /** Frees what is no longer needed. */
  releaseLatents(latents: L): void
  releaseCache(cache: K): void
}

export interface RolloutOptions<L> {
  readonly chunks: readonly Chunk[]
  /** `steps + 1` values from 1 to 0, the same for every chunk or chosen chunk by chunk. */
  readonly sigmas: Float64Array | ((chunk: Chunk) => Float64Array)
  readonly fullChunkLimit: number
  /**
   * Clean latents of the first chunks, given instead of made: one frame for image-to-video, several for
   * continuation. The rollout owns and frees them.
   */
  readonly known?: readonly L[]
}

/** Latents of an event stay valid until the consumer asks for the next one. */
export type RolloutEvent<L> =
  /** `step` counts from 1; it led from `before` at time `t` to `after` at time `r`. */
  | {
      readonly type: 'pass'
      readonly chunk: Chunk
      readonly step: number
      readonly t: number
      readonly r: number
      readonly before: L
      readonly after: L
    }
  | { readonly type: 'chunk'; readonly chunk: Chunk; readonly latents: L; readonly known: boolean }
  | { readonly type: 'cache'; readonly chunk: Chunk }

/**
 * Denoises chunk after chunk. Pulled: one `next()` does one pass, or hands over one finished chunk, or writes one
 * cache; a consumer that stops asking stops the work, and `return()` frees everything.
 */
export async function* rollout<L, K>(
  model: FlowMapModel<L, K>,
  options: RolloutOptions<L>,
): AsyncGenerator<RolloutEvent<L>, void, void> {
  const { chunks, fullChunkLimit } = options
  const sigmasOf =
    typeof options.sigmas === 'function' ? options.sigmas : () => options.sigmas as Float64Array
  const known = options.known ?? []
  const history: L[] = []
  let current: L | undefined
  /** What the pass under way started from; it and `current` are the same until there is a result. */
  let before: L | undefined
  let cache: K | undefined
  try {
    cache = await model.emptyCache()
    for (const chunk of chunks) {
      const given = known[chunk.index]
      if (given === undefined) {
        const positions = framesOf(chunk)
        const sigmas = sigmasOf(chunk)
        current = await model.noise(chunk)
        for (let i = 0; i + 1 < sigmas.length; i++) {
          const t = sigmas[i]!
          const r = sigmas[i + 1]!
          before = current
          current = await model.step(before, t, r, positions, cache)
          yield { type: 'pass', chunk, step: i + 1, t, r, before, after: current }
          model.releaseLatents(before)
          before = undefined
        }
      } else {
        current = given
      }
      history.push(current)
      yield { type: 'chunk', chunk, latents: current, known: given !== undefined }
      current = undefined

      // Nothing looks back at the last chunk, and only the newest of several given chunks is looked back from.
      const isLast = chunk.index === chunks.length - 1
      if (isLast || known[chunk.index + 1] !== undefined) continue
      const written = await model.writeCache(
        splitContext(chunks.slice(0, chunk.index + 1), fullChunkLimit),
        history,
      )
      model.releaseCache(cache)
      cache = written
      yield { type: 'cache', chunk }
    }
  } finally {
    if (before !== undefined && before !== current) model.releaseLatents(before)
    if (current !== undefined && !history.includes(current)) model.releaseLatents(current)
    for (const latents of history) model.releaseLatents(latents)
    for (const latents of known.slice(history.length)) model.releaseLatents(latents)
    if (cache !== undefined) model.releaseCache(cache)
  }
}
