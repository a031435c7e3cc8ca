/** The streaming encoder: given pixel frames in, clean latents out. */

import { type Chunk, framesOf } from '../flowmap/chunks'
import type { GraphSpec, Manifest } from '../models/manifest'
import type { Tensor } from '../runtime/ort'
import type { Graph, Runtime } from '../runtime/runtime'
import { StreamingGraph } from './streaming'
import { latentShape } from './transformer'
import type { Rgba } from './types'

/**
 * Frames as the encoder reads them, `[N, 3, H, W]` in 0..1. Alpha is ignored: whoever gives frames has put them on a
 * ground.
 * @param area `H * W`
 */
export function toPlanes(frames: readonly Rgba[], area: number): Float32Array {
  const planes = new Float32Array(frames.length * 3 * area)
  frames.forEach((rgba, frame) => {
    for (let channel = 0; channel < 3; channel++) {
      const offset = (frame * 3 + channel) * area
      for (let i = 0; i < area; i++) planes[offset + i] = rgba[i * 4 + channel]! / 255
    }
  })
  return planes
}

/**
 * Numbers of the pixel frames that one latent frame stands for, `stride` of them: latent frame 0 is pixel frame 0 four
 * times over, latent frame `i > 0` the frames `4i - 3 .. 4i`.
 */
export function framesBehind(latent: number, stride: number): number[] {
  return Array.from({ length: stride }, (_, i) => (latent === 0 ? 0 : (latent - 1) * stride + 1 + i))
}

/** Encodes the beginning of one take. */
export class StreamingEncoder {
  private readonly stream: StreamingGraph

  constructor(
    private readonly runtime: Runtime,
    graph: Graph,
    spec: GraphSpec,
    private readonly video: Manifest['video'],
  ) {
    this.stream = new StreamingGraph(runtime, graph, spec)
  }

  /**
   * Encodes the frames of a chunk. Chunks must come in order.
   * @param given all given frames of the take.
   * @returns `[1, F, C, h, w]`, the caller's to release.
   */
  async encode(chunk: Chunk, given: readonly Rgba[]): Promise<Tensor> {
    const { tensors } = this.runtime
    const encoded: Tensor[] = []
    try {
      for (const latent of framesOf(chunk)) encoded.push(await this.encodeOne(latent, given))
      const ranges = encoded.map((tensor) => ({ tensor, first: 0, count: 1 }))
      return tensors.gather(ranges, chunk.count, latentShape(this.video))
    } finally {
      for (const tensor of encoded) tensors.release(tensor)
    }
  }

  dispose(): void {
    this.stream.dispose()
  }

  private async encodeOne(latent: number, given: readonly Rgba[]): Promise<Tensor> {
    const { width, height, temporalStride } = this.video
    const pixels = framesBehind(latent, temporalStride).map((index) => given[index]!)
    const planes = toPlanes(pixels, width * height)
    const frames = this.runtime.tensors.create([temporalStride, 3, height, width], planes)
    try {
      return await this.stream.run('frames', frames, 'latents')
    } finally {
      this.runtime.tensors.release(frames)
    }
  }
}
