/** Takes that are held beyond the next one, and small canvases that play them in step. */

import { StudioError } from '../errors'
import type { TileSync } from './protocol'

/** Frames of a take and how they play. */
export interface KeptTake {
  readonly frames: readonly Uint8ClampedArray<ArrayBuffer>[]
  readonly width: number
  readonly height: number
  readonly fps: number
}

interface Tile {
  readonly context: OffscreenCanvasRenderingContext2D
  readonly take: KeptTake
  readonly sync: TileSync
  /** Frame on the canvas, or -1. */
  shown: number
}

export class KeptTakes {
  private readonly takes = new Map<number, KeptTake>()
  private readonly tiles = new Map<number, Tile>()
  private nextId = 1
  /** When the tiles' common clock started. */
  private since = 0

  keep(take: KeptTake): number {
    const id = this.nextId++
    this.takes.set(id, take)
    return id
  }

  /** @throws StudioError `no-frames` */
  get(id: number): KeptTake {
    const take = this.takes.get(id)
    if (take) return take
    throw new StudioError('no-frames', 'The frames of that take are no longer held. Make it again.')
  }

  /** Frees takes. Tiles that show them go on until they are detached. */
  drop(ids: readonly number[]): void {
    for (const id of ids) this.takes.delete(id)
  }

  /** @param now of the clock that `draw` is given, ms. */
  attach(canvas: OffscreenCanvas, id: number, sync: TileSync, now: number): number {
    const take = this.get(id)
    canvas.width = take.width
    canvas.height = take.height
    const context = canvas.getContext('2d')
    if (!context) throw new StudioError('internal', 'The browser gave no canvas to compare takes on.')
    if (this.tiles.size === 0) this.since = now
    const tile = this.nextId++
    this.tiles.set(tile, { context, take, sync, shown: -1 })
    return tile
  }

  detach(tile: number): void {
    this.tiles.delete(tile)
  }

  get hasTiles(): boolean {
    return this.tiles.size > 0
  }

  /** Draws what is due. @param preview the frame that the preview shows, or -1. */
  draw(now: number, preview: number): void {
    for (const tile of this.tiles.values()) {
      const { frames, width, height, fps } = tile.take
      const beat =
        tile.sync === 'preview' ? Math.max(0, preview) : Math.floor(((now - this.since) * fps) / 1000)
      const due = beat % frames.length
      const rgba = frames[due]
      if (due === tile.shown || !rgba) continue
      tile.context.putImageData(new ImageData(rgba, width, height), 0, 0)
      tile.shown = due
    }
  }
}
