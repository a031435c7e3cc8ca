/**
 * Enlarging by whole factors with a Lanczos kernel (a = 3), on the CPU: where takes are made there, and to prove what the
 * GPU makes (`gpu-enlarger.ts`). Not by the canvas, whose `imageSmoothingQuality` means something else in each browser: so
 * every machine writes the same picture. It runs in the export worker.
 */

const LOBES = 3

/** sinc(x) sinc(x / 3) within three samples of the centre. */
export function lanczos(x: number): number {
  if (x === 0) return 1
  if (Math.abs(x) >= LOBES) return 0
  const angle = Math.PI * x
  return (LOBES * Math.sin(angle) * Math.sin(angle / LOBES)) / (angle * angle)
}

/** One tap row for each of the `scale` positions between two samples. Each sums to 1, so flat areas stay flat. */
export function phases(scale: number): Float32Array[] {
  return Array.from({ length: scale }, (_, phase) => {
    // Where the middle of this output pixel falls, in input pixels from the middle of its own input pixel.
    const offset = (phase + 0.5) / scale - 0.5
    const taps = Float32Array.from({ length: 2 * LOBES + 1 }, (__, i) => lanczos(i - LOBES - offset))
    const sum = taps.reduce((total, tap) => total + tap, 0)
    return taps.map((tap) => tap / sum)
  })
}

/** Enlarges frames of one size; keeps its buffers from frame to frame. */
export class Enlarger {
  private readonly taps: Float32Array[]
  /** Enlarged sideways only, red, green and blue interleaved. */
  private readonly wide: Float32Array

  /** @param scale a whole number; 1 copies */
  constructor(
    private readonly width: number,
    private readonly height: number,
    private readonly scale: number,
  ) {
    this.taps = phases(scale)
    this.wide = new Float32Array(scale === 1 ? 0 : width * scale * height * 3)
  }

  /** @param rgba one frame; alpha is taken to be opaque */
  enlarge(rgba: Uint8ClampedArray<ArrayBuffer>): Uint8ClampedArray<ArrayBuffer> {
    if (this.scale === 1) return rgba
    this.sideways(rgba)
    return this.upAndDown()
  }

  private sideways(rgba: Uint8ClampedArray): void {
    const { width, height, scale, taps, wide } = this
    let out = 0
    for (let y = 0; y < height; y++) {
      const row = y * width
      for (let x = 0; x < width; x++) {
        for (const weights of taps) {
          let red = 0
          let green = 0
          let blue = 0
          for (let i = 0; i < weights.length; i++) {
            // Beyond the edge the edge goes on.
            const at = 4 * (row + Math.min(Math.max(x + i - LOBES, 0), width - 1))
            const tap = weights[i]!
            red += tap * rgba[at]!
            green += tap * rgba[at + 1]!
            blue += tap * rgba[at + 2]!
          }
          wide[out++] = red
          wide[out++] = green
          wide[out++] = blue
        }
      }
    }
    if (out !== width * scale * height * 3) throw new Error('the frame has another size')
  }

  private upAndDown(): Uint8ClampedArray<ArrayBuffer> {
    const { height, scale, taps, wide } = this
    const rowLength = this.width * scale * 3
    const result = new Uint8ClampedArray(this.width * scale * height * scale * 4)
    let out = 0
    for (let y = 0; y < height; y++) {
      const rows = Array.from(
        { length: 2 * LOBES + 1 },
        (_, i) => Math.min(Math.max(y + i - LOBES, 0), height - 1) * rowLength,
      )
      for (const weights of taps) {
        for (let x = 0; x < rowLength; x += 3) {
          let red = 0
          let green = 0
          let blue = 0
          for (let i = 0; i < weights.length; i++) {
            const at = rows[i]! + x
            const tap = weights[i]!
            red += tap * wide[at]!
            green += tap * wide[at + 1]!
            blue += tap * wide[at + 2]!
          }
          result[out] = red
          result[out + 1] = green
          result[out + 2] = blue
          result[out + 3] = 255
          out += 4
        }
      }
    }
    return result
  }
}
