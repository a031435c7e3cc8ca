/** A graph that is run frame after frame with its convolution state carried along. */

import type { GraphSpec } from '../models/manifest'
import type { Tensor } from '../runtime/ort'
import type { Graph, Runtime } from '../runtime/runtime'

/** Keeps the states of one stream; they start at zero. */
export class StreamingGraph {
  private state: Map<string, Tensor>
  /** States to come back to; may be the present ones. */
  private marked: Map<string, Tensor> | undefined

  constructor(
    private readonly runtime: Runtime,
    private readonly graph: Graph,
    private readonly spec: GraphSpec,
  ) {
    this.state = new Map(spec.state.map(({ input, shape }) => [input, runtime.tensors.create(shape)]))
  }

  /**
   * Runs one frame. Frames must come in order.
   * @returns the output of that name, the caller's to release.
   */
  async run(input: string, value: Tensor, output: string): Promise<Tensor> {
    const outputs = await this.graph.run({ [input]: value, ...Object.fromEntries(this.state) })
    const next = new Map(this.spec.state.map(({ input: name, output: from }) => [name, outputs[from]!]))
    if (this.state !== this.marked) this.release(this.state)
    this.state = next
    return outputs[output]!
  }

  /** Remembers this place in the stream, instead of an earlier one. */
  mark(): void {
    if (this.marked && this.marked !== this.state) this.release(this.marked)
    this.marked = this.state
  }

  /** Goes back to the place that was marked last, if any. */
  rewind(): void {
    if (!this.marked || this.marked === this.state) return
    this.release(this.state)
    this.state = this.marked
  }

  dispose(): void {
    if (this.marked && this.marked !== this.state) this.release(this.marked)
    this.marked = undefined
    this.release(this.state)
    this.state = new Map()
  }

  private release(state: ReadonlyMap<string, Tensor>): void {
    for (const tensor of state.values()) this.runtime.tensors.release(tensor)
  }
}
