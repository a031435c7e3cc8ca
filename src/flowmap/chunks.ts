/** How a clip divides into latent frames and chunks. */

/** Latent frames of the first chunk and of every later one. */
export interface ChunkPlan {
  readonly first: number
  readonly rest: number
}

/** Latent frames `first .. first + count - 1`, denoised together. */
export interface Chunk {
  readonly index: number
  readonly first: number
  readonly count: number
}

/**
 * Splits a number of latent frames into chunks; the last one is shorter where they do not divide evenly.
 * @throws RangeError unless `latentFrames` is a whole number of at least 1.
 */
export function planChunks(latentFrames: number, plan: ChunkPlan): Chunk[] {
  if (!Number.isInteger(latentFrames) || latentFrames < 1) {
    throw new RangeError(`a clip has at least one latent frame, not ${latentFrames}`)
  }
  const chunks: Chunk[] = []
  for (let first = 0; first < latentFrames;) {
    const wanted = chunks.length === 0 ? plan.first : plan.rest
    const count = Math.min(wanted, latentFrames - first)
    chunks.push({ index: chunks.length, first, count })
    first += count
  }
  return chunks
}

/** Absolute latent frame numbers of a chunk. */
export function framesOf(chunk: Chunk): number[] {
  return Array.from({ length: chunk.count }, (_, i) => chunk.first + i)
}

/** Pixel frames that a number of latent frames stands for: the first is one frame, each later one `stride`. */
export function pixelFrames(latentFrames: number, temporalStride: number): number {
  return 1 + (latentFrames - 1) * temporalStride
}

/**
 * Latent frames needed for a number of pixel frames.
 * @throws RangeError unless `frames = 1 + k stride`.
 */
export function latentFrames(frames: number, temporalStride: number): number {
  const rest = frames - 1
  if (!Number.isInteger(frames) || rest < 0 || rest % temporalStride !== 0) {
    throw new RangeError(`${frames} frames are not 1 plus a multiple of ${temporalStride}`)
  }
  return 1 + rest / temporalStride
}

/** Every length in pixel frames, ascending, that whole chunks make and that is at most `maxFrames`. */
export function allowedLengths(plan: ChunkPlan, temporalStride: number, maxFrames: number): number[] {
  const lengths: number[] = []
  for (let latents = plan.first; ; latents += plan.rest) {
    const frames = pixelFrames(latents, temporalStride)
    if (frames > maxFrames) return lengths
    lengths.push(frames)
  }
}
