/** The streaming decoder: one latent frame in, four pixel frames out. */

import type { GraphSpec } from '../models/manifest'
import type { Tensor } from '../runtime/ort'
import type { Graph, Runtime } from '../runtime/runtime'
import { StreamingGraph } from './streaming'

/** Decodes one take. */
export class StreamingDecoder {
  private readonly stream: StreamingGraph

  constructor(
    private readonly runtime: Runtime,
    graph: Graph,
    spec: GraphSpec,
    /** `[C, h, w]` */
    private readonly frame: readonly number[],
  ) {
    this.stream = new StreamingGraph(runtime, graph, spec)
  }

  /**
   * Decodes one frame of a chunk's latents `[1, F, C, h, w]`. Frames must come in order.
   * @returns `[4, 3, H, W]`, the caller's to release.
   */
  async decode(latents: Tensor, index: number): Promise<Tensor> {
    const { tensors } = this.runtime
    const one = tensors.gather([{ tensor: latents, first: index, count: 1 }], 1, this.frame)
    try {
      return await this.stream.run('latents', one, 'frames')
    } finally {
      tensors.release(one)
    }
  }

  /** Remembers the place between two chunks. */
  mark(): void {
    this.stream.mark()
  }

  /** Forgets what was decoded since the mark. */
  rewind(): void {
    this.stream.rewind()
  }

  dispose(): void {
    this.stream.dispose()
  }
}
