import { ExportError } from './exporter'
import type { FrameSink, SinkResult } from './sink'

/** One frame as a PNG. */
export class PngEncoder implements FrameSink {
  readonly samples: readonly number[] = []
  private rgba: Uint8ClampedArray<ArrayBuffer> | undefined

  constructor(
    private readonly width: number,
    private readonly height: number,
  ) {}

  look(): void {
    // Nothing to learn.
  }

  add(_index: number, rgba: Uint8ClampedArray<ArrayBuffer>): Promise<void> {
    this.rgba = rgba
    return Promise.resolve()
  }

  /** @throws ExportError when the browser cannot encode it */
  async finish(): Promise<SinkResult> {
    const canvas = new OffscreenCanvas(this.width, this.height)
    const context = canvas.getContext('2d')
    if (!context || !this.rgba) throw new ExportError('This browser gave no canvas. Reload the page.')
    context.putImageData(new ImageData(this.rgba, this.width, this.height), 0, 0)
    const data = await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer()
    return { data, bytes: data.byteLength, codecName: 'PNG' }
  }

  abort(): Promise<void> {
    return Promise.resolve()
  }
}
