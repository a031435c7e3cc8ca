/** What of a clip is needed to tell the time. */
interface Timed {
  readonly fps: number
  readonly frames: ArrayLike<unknown>
}

/** The frame that a clip shows at a time in seconds; a shorter clip stays on its last frame while the other goes on. */
export function frameAtTime(clip: Timed, seconds: number): number {
  // Times are sums of display frames: a hair under a frame's start is that start.
  const frame = Math.floor(seconds * clip.fps + 1e-6)
  return Math.min(Math.max(frame, 0), Math.max(0, clip.frames.length - 1))
}
