import { applyPalette, GIFEncoder, quantize, type Palette } from 'gifenc'

import type { FrameSink, SinkResult } from './sink'

/** Frames that the palette is made from, and pixels taken of each: more change the colours no further, and cost time. */
const MAX_SAMPLES = 8
const SAMPLED_PIXELS = 1 << 15

/** An animated GIF that repeats for ever. One palette for all frames: a palette a frame would make still areas flicker. */
export class GifEncoder implements FrameSink {
  readonly samples: readonly number[]
  private readonly gif = GIFEncoder()
  private readonly seen: Uint8ClampedArray[] = []
  private palette: Palette | undefined

  constructor(
    private readonly width: number,
    private readonly height: number,
    private readonly fps: number,
    frames: number,
  ) {
    const count = Math.min(frames, MAX_SAMPLES)
    this.samples = Array.from({ length: count }, (_, i) => Math.floor((i * frames) / count))
  }

  look(rgba: Uint8ClampedArray<ArrayBuffer>): void {
    const pixels = this.width * this.height
    const every = Math.ceil(pixels / SAMPLED_PIXELS)
    const part = new Uint8ClampedArray(Math.ceil(pixels / every) * 4)
    for (let i = 0, out = 0; i < pixels; i += every, out += 4) part.set(rgba.subarray(4 * i, 4 * i + 4), out)
    this.seen.push(part)
  }

  add(index: number, rgba: Uint8ClampedArray<ArrayBuffer>): Promise<void> {
    const palette = (this.palette ??= this.makePalette(rgba))
    const first = index === 0
    this.gif.writeFrame(applyPalette(rgba, palette), this.width, this.height, {
      // The first frame's palette is the file's.
      ...(first ? { palette, repeat: 0 } : {}),
      delay: 10 * this.hundredths(index),
    })
    return Promise.resolve()
  }

  finish(): Promise<SinkResult> {
    this.gif.finish()
    const bytes = this.gif.bytes()
    return Promise.resolve({ data: bytes.slice().buffer, bytes: bytes.length, codecName: 'GIF' })
  }

  abort(): Promise<void> {
    return Promise.resolve()
  }

  /** A GIF counts hundredths of a second: the rounding of one frame is made up for by the next. */
  private hundredths(index: number): number {
    return Math.round(((index + 1) * 100) / this.fps) - Math.round((index * 100) / this.fps)
  }

  private makePalette(frame: Uint8ClampedArray): Palette {
    const parts = this.seen.length > 0 ? this.seen : [frame]
    const all = new Uint8ClampedArray(parts.reduce((sum, part) => sum + part.length, 0))
    let offset = 0
    for (const part of parts) {
      all.set(part, offset)
      offset += part.length
    }
    this.seen.length = 0
    return quantize(all, 256)
  }
}
