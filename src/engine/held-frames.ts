import type { GenerationRequest } from './types'

/** Memory that the frames of a take without an end may take, and the time they last: whichever is less. */
const HELD_BYTES = 256 * 2 ** 20
const HELD_SECONDS = 60

/** Newest frames of a take that are held to be played and exported; all of them unless it has no end. */
export function heldFrames(
  request: Pick<GenerationRequest, 'endless'>,
  video: { readonly width: number; readonly height: number; readonly fps: number },
): number {
  if (request.endless !== true) return Infinity
  const { width, height, fps } = video
  return Math.max(1, Math.min(HELD_SECONDS * fps, Math.floor(HELD_BYTES / (width * height * 4))))
}
