/** Small pictures of latents by the package's linear map: cheap enough to show a chunk while it is being denoised. */

import type { Chunk } from '../flowmap/chunks'
import { cleanEstimate } from '../flowmap/estimate'
import type { Manifest } from '../models/manifest'
import type { Tensor } from '../runtime/ort'
import type { TensorStore } from '../runtime/tensors'
import { framesOfChunk } from './plan'
import type { Stopwatch } from './stopwatch'
import type { Rgba } from './types'

/** Shortest time between two estimates, ms: no eye follows more, and a small model makes hundreds of passes a second. */
const SHORTEST_GAP = 40

/** Pictures of the latent frames of a chunk. */
export interface SmallPictures {
  readonly width: number
  readonly height: number
  /** One a latent frame. */
  readonly frames: readonly Rgba[]
}

/** What a chunk under way looks like so far. It is for the eye alone: never kept, never exported. */
export interface EstimateEvent {
  readonly type: 'estimate'
  /** Pixel frames `first .. first + count - 1` are the chunk's. */
  readonly first: number
  readonly count: number
  /** Resolves while later passes run; `undefined` when the latents could not be read any more. */
  readonly pictures: Promise<SmallPictures | undefined>
}

/** A pass that was just done: its latents before and after, `[1, F, C, h, w]`. */
export interface DonePass {
  readonly chunk: Chunk
  readonly step: number
  readonly t: number
  readonly r: number
  readonly before: Tensor
  readonly after: Tensor
}

/** Estimates of one take. */
export class Estimator {
  private last = -Infinity

  private constructor(
    private readonly painter: EstimatePainter,
    private readonly tensors: TensorStore,
    private readonly stopwatch: Stopwatch,
    private readonly stride: number,
  ) {}

  /** @returns `undefined` for a package without the map. */
  static of(manifest: Manifest, tensors: TensorStore, stopwatch: Stopwatch): Estimator | undefined {
    const painter = EstimatePainter.of(manifest)
    return painter && new Estimator(painter, tensors, stopwatch, manifest.video.temporalStride)
  }

  /** The latents may be freed when it returns. @returns `undefined` too soon after the last; never for a first pass. */
  after({ chunk, step, t, r, before, after }: DonePass): EstimateEvent | undefined {
    const started = performance.now()
    if (step > 1 && started - this.last < SHORTEST_GAP) return undefined
    this.last = started
    // Both copies are under way before anything is awaited.
    const copies = Promise.all([this.tensors.read(before), this.tensors.read(after)])
    const asking = performance.now() - started
    const pictures = copies.then(
      ([from, to]) => {
        const ready = performance.now()
        const painted = this.painter.paint(cleanEstimate(from, to, t, r))
        this.stopwatch.add('estimate', asking + performance.now() - ready)
        return painted
      },
      // A lost device fails the next pass, which says so.
      () => undefined,
    )
    return { type: 'estimate', ...framesOfChunk(chunk, this.stride), pictures }
  }
}

export class EstimatePainter {
  private readonly patch: number
  /** `[C, 3 patch^2]`, and `[3 patch^2]`, in steps of 1/255. */
  private readonly weights: readonly Float32Array[]
  private readonly bias: Float32Array
  private readonly rows: number
  private readonly columns: number

  private constructor(map: NonNullable<Manifest['estimate']>, video: Manifest['video']) {
    this.patch = map.patch
    this.weights = map.weights.map((row) => Float32Array.from(row, (value) => value * 255))
    this.bias = Float32Array.from(map.bias, (value) => value * 255)
    this.rows = video.height / video.spatialStride
    this.columns = video.width / video.spatialStride
  }

  /** @returns `undefined` for a package without the map. */
  static of({ estimate, video }: Manifest): EstimatePainter | undefined {
    return estimate && new EstimatePainter(estimate, video)
  }

  /** @param latents `[F, C, h, w]`, normalised. */
  paint(latents: Float32Array): SmallPictures {
    const size = this.weights.length * this.rows * this.columns
    const frames: Rgba[] = []
    for (let start = 0; start < latents.length; start += size)
      frames.push(this.paintOne(latents.subarray(start, start + size)))
    return { width: this.columns * this.patch, height: this.rows * this.patch, frames }
  }

  private paintOne(latents: Float32Array): Rgba {
    const { patch, rows, columns, weights, bias } = this
    const area = rows * columns
    const width = columns * patch
    const rgba = new Uint8ClampedArray(4 * area * patch * patch)
    const block = new Float32Array(bias.length)
    for (let place = 0; place < area; place++) {
      block.set(bias)
      weights.forEach((row, channel) => {
        const value = latents[channel * area + place]!
        for (let i = 0; i < row.length; i++) block[i]! += value * row[i]!
      })
      const top = Math.floor(place / columns) * patch
      const left = (place % columns) * patch
      for (let y = 0; y < patch; y++) {
        for (let x = 0; x < patch; x++) {
          const pixel = 4 * ((top + y) * width + left + x)
          for (let c = 0; c < 3; c++) rgba[pixel + c] = block[(c * patch + y) * patch + x]!
          rgba[pixel + 3] = 255
        }
      }
    }
    return rgba
  }
}
