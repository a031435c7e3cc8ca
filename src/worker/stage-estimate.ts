/** What the chunk under way looks like so far, and when the stage shows it in place of a frame. */

import type { SmallPictures } from '../engine/estimate'
import type { ToStage } from './protocol'

export type EstimateMessage = Omit<Extract<ToStage, { type: 'estimate' }>, 'seq'>
type Picture = SmallPictures['frames'][number]

/**
 * How long the first chunk of a take must have been under way before its estimate takes the place of the take before, ms.
 * A quicker one would only flicker.
 */
export const PATIENCE = 700

export class StageEstimate {
  private current: EstimateMessage | undefined
  /** When the first estimate came of a take that has no frames yet, ms. */
  private since: number | undefined
  private context: OffscreenCanvasRenderingContext2D | undefined

  /** The canvas that shows all of it, latent frame beside latent frame. */
  attach(canvas: OffscreenCanvas): void {
    this.context = canvas.getContext('2d') ?? undefined
  }

  get size(): { readonly width: number; readonly height: number } | undefined {
    return this.current?.pictures
  }

  /** True while what is estimated is a take of which there are no frames yet. */
  get isFirst(): boolean {
    return this.since !== undefined
  }

  /** @returns true for the first estimate of a take. */
  set(message: EstimateMessage, now: number): boolean {
    const begins = message.first === 0 && this.since === undefined
    this.current = message
    if (begins) this.since = now
    this.drawStrip()
    return begins
  }

  clear(): void {
    this.current = undefined
    this.since = undefined
    this.drawStrip()
  }

  /** Frames after `count` of which there is an estimate; 0 for one of another take than the frames are of. */
  tail(count: number, dropped: number): number {
    const { current } = this
    if (!current || current.first === 0) return 0
    return Math.max(0, current.first + current.count - dropped - count)
  }

  /** The picture at a frame number beyond the decoded ones. @param frame of the take. */
  at(frame: number): Picture | undefined {
    const { current } = this
    if (!current) return undefined
    const { frames } = current.pictures
    const index = Math.floor(((frame - current.first) * frames.length) / current.count)
    return frames[Math.min(Math.max(index, 0), frames.length - 1)]
  }

  /** One picture after the other, at the speed of the clip, while there is nothing else to play. */
  inTurn(now: number): Picture | undefined {
    const { current } = this
    if (!current) return undefined
    return this.at(current.first + (Math.floor((now * current.video.fps) / 1000) % current.count))
  }

  /** True when the take that is being made has no frames yet, and the one before may give way to its estimate. */
  covers(shownFrames: number, now: number): boolean {
    return this.since !== undefined && (shownFrames === 0 || now - this.since >= PATIENCE)
  }

  private drawStrip(): void {
    const { context, current } = this
    if (!context) return
    const { canvas } = context
    if (!current) {
      context.clearRect(0, 0, canvas.width, canvas.height)
      return
    }
    const { width, height, frames } = current.pictures
    // Setting a size also empties it.
    if (canvas.width !== width * frames.length) canvas.width = width * frames.length
    if (canvas.height !== height) canvas.height = height
    frames.forEach((rgba, i) => context.putImageData(new ImageData(rgba, width, height), i * width, 0))
  }
}
