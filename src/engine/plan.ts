/** What a take consists of, known before any of it is made. */

import { type Chunk, latentFrames, pixelFrames, planChunks } from '../flowmap/chunks'
import type { Manifest } from '../models/manifest'
import type { GenerationRequest } from './types'

/** A chunk and the passes it takes: none where it is given. */
export interface PlannedChunk {
  readonly chunk: Chunk
  readonly steps: number
}

/** The part of a request that the work depends on; of given frames only their number. */
export interface PlannedRequest extends Pick<GenerationRequest, 'frames' | 'steps' | 'laterSteps'> {
  readonly given?: { readonly length: number } | undefined
}

/** Passes of a chunk: none where it is given, else `steps` for the first one made and `laterSteps` after it. */
export function passesOf(request: PlannedRequest, { video }: Manifest): (chunk: Chunk) => number {
  const given = request.given?.length ? latentFrames(request.given.length, video.temporalStride) : 0
  const { steps, laterSteps = steps } = request
  return (chunk) => {
    if (chunk.first < given) return 0
    return chunk.first === given ? steps : laterSteps
  }
}

/** Pixel frames that a chunk stands for. */
export function framesOfChunk({ first, count }: Chunk, stride: number): { first: number; count: number } {
  const start = first === 0 ? 0 : pixelFrames(first, stride)
  return { first: start, count: pixelFrames(first + count, stride) - start }
}

/** Every chunk of a request with the passes it takes. @throws RangeError for numbers of frames that no chunks make. */
export function planTake(request: PlannedRequest, manifest: Manifest): PlannedChunk[] {
  const { video, transformer } = manifest
  const chunks = planChunks(latentFrames(request.frames, video.temporalStride), transformer.chunkPlan)
  const passes = passesOf(request, manifest)
  return chunks.map((chunk) => ({ chunk, steps: passes(chunk) }))
}

/** Work of a take, counted. */
export interface WorkCount {
  /** Network evaluations. */
  readonly passes: number
  readonly caches: number
  /** Latent frames that are encoded. */
  readonly encodes: number
  /** Pixel frames that are decoded. */
  readonly frames: number
}

/** Counts the work of a request. @throws RangeError as {@link planTake} */
export function countWork(request: PlannedRequest, manifest: Manifest): WorkCount {
  const plan = planTake(request, manifest)
  return {
    passes: plan.reduce((sum, { steps }) => sum + steps, 0),
    // One before every made chunk that has something to look back at.
    caches: plan.filter(({ steps }, i) => i > 0 && steps > 0).length,
    encodes: plan.reduce((sum, { chunk, steps }) => sum + (steps === 0 ? chunk.count : 0), 0),
    frames: request.frames,
  }
}
