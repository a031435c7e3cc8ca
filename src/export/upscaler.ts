import { GpuEnlarger } from './gpu-enlarger'
import { Enlarger } from './resample'

/** Levels of 255 that the GPU's picture may be off: both round, from sums in another order. */
const TOLERANCE = 1

/**
 * Enlarges the frames of one export, on the GPU where that is wanted and proves right, else on the CPU. The first frame is
 * made on both: a driver that gets it wrong, or loses its device later, must not spoil a file.
 */
export class Upscaler {
  private readonly cpu: Enlarger
  private gpu: Promise<GpuEnlarger | undefined>
  private checked = false
  /** Where the last frame was enlarged; undefined at the frames' own size. */
  place: 'GPU' | 'CPU' | undefined

  /** @param wantsGpu asks for the GPU; what is made on the CPU anyway need not start one */
  constructor(width: number, height: number, scale: number, wantsGpu: boolean) {
    this.cpu = new Enlarger(width, height, scale)
    const open = scale > 1 && wantsGpu
    this.gpu = open
      ? GpuEnlarger.open(width, height, scale).catch(() => undefined)
      : Promise.resolve(undefined)
    if (scale > 1) this.place = 'CPU'
  }

  /** @param rgba one frame; alpha is taken to be opaque */
  async enlarge(rgba: Uint8ClampedArray<ArrayBuffer>): Promise<Uint8ClampedArray<ArrayBuffer>> {
    const gpu = await this.gpu
    if (!gpu) return this.cpu.enlarge(rgba)
    const made = await gpu.enlarge(rgba).catch(() => undefined)
    if (made && this.checked) return made
    const right = this.cpu.enlarge(rgba)
    if (made && areClose(made, right)) {
      this.checked = true
      this.place = 'GPU'
      return made
    }
    this.close()
    this.gpu = Promise.resolve(undefined)
    this.place = 'CPU'
    return right
  }

  close(): void {
    void this.gpu.then((gpu) => gpu?.close())
  }
}

function areClose(a: Uint8ClampedArray, b: Uint8ClampedArray): boolean {
  return a.length === b.length && a.every((value, i) => Math.abs(value - b[i]!) <= TOLERANCE)
}
