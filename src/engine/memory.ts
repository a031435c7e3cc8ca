/** What a model needs of a machine's memory, computed from its manifest. */

import { latentFrames, planChunks } from '../flowmap/chunks'
import { slotCount, takeCapacity } from '../flowmap/context'
import type { Manifest } from '../models/manifest'
import { neededFiles } from '../models/package'

/** Bytes. Buffers inside single operators are not known before they run, and come on top. */
export interface MemoryNeed {
  /** Graphs and weights, as they are downloaded. */
  readonly weights: number
  /** Keys and values of the longest clip, and what says which may be seen. */
  readonly cache: number
  /** What the decoder carries from frame to frame: its state before and after. */
  readonly decoder: number
  readonly total: number
}

const FLOAT = 4

export function memoryNeed(manifest: Manifest): MemoryNeed {
  const { video, transformer, graphs } = manifest
  const weights = neededFiles(manifest).reduce((sum, file) => sum + file.bytes, 0)
  const [, height, width] = transformer.patchSize
  const [, compressedHeight, compressedWidth] = transformer.compressedPatchSize
  const rows = video.height / video.spatialStride
  const columns = video.width / video.spatialStride
  const tokens = {
    full: (rows / height) * (columns / width),
    compressed: (rows / compressedHeight) * (columns / compressedWidth),
  }
  const latents = latentFrames(longest(video), video.temporalStride)
  const chunks = planChunks(latents, transformer.chunkPlan)
  const slots = slotCount(takeCapacity(chunks, transformer.fullChunkLimit), tokens)
  const cache = FLOAT * (2 * transformer.layers * slots * transformer.dim + slots * slots)
  const state = graphs.decoder.state.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
  const decoder = 2 * FLOAT * state
  return { weights, cache, decoder, total: weights + cache + decoder }
}

/** The most frames that whole latent frames make. */
function longest({ maxFrames, temporalStride }: Manifest['video']): number {
  return maxFrames - ((maxFrames - 1) % temporalStride)
}
