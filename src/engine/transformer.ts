/** The step and cache graphs as the rollout's abstract model. */

import { type Chunk, framesOf } from '../flowmap/chunks'
import {
  type CacheCapacity,
  type CacheLayout,
  type ContextSplit,
  exactCapacity,
  layoutCache,
  takeCapacity,
  type TokenCounts,
} from '../flowmap/context'
import { frameNoise } from '../flowmap/philox'
import type { FlowMapModel } from '../flowmap/rollout'
import type { Manifest } from '../models/manifest'
import type { Tensor } from '../runtime/ort'
import type { Graph, Runtime } from '../runtime/runtime'
import { sizeOf } from '../runtime/tensors'
import type { Stopwatch } from './stopwatch'

/** A written cache `[layers, 2, S, d]` and the bias `[1, 1, 1, S]` that a step sees it through. */
export interface KvCache {
  readonly values: Tensor
  readonly bias: Tensor
}

export interface TransformerOptions {
  readonly runtime: Runtime
  readonly manifest: Manifest
  readonly step: Graph
  readonly cache: Graph
  /** Of a chunk's noise. */
  readonly seedOf: (chunk: Chunk) => number
  /** `[L, Dt]` */
  readonly text: Float32Array
  /** Of the take, or of the window of one without an end. */
  readonly chunks: readonly Chunk[]
  readonly stopwatch: Stopwatch
}

/** `[C, h, w]` of one latent frame. */
export function latentShape(video: Manifest['video']): [number, number, number] {
  return [video.latentChannels, video.height / video.spatialStride, video.width / video.spatialStride]
}

/** One take's transformer. Its tensors live where the runtime keeps them; `dispose` frees the text features. */
export class FarTransformer implements FlowMapModel<Tensor, KvCache> {
  private readonly frame: [number, number, number]
  private readonly tokens: TokenCounts
  private text: Tensor
  /** On WebGPU shapes stay constant, which keeps compiled shaders; on WASM padding would only be computed in vain. */
  private readonly fixedCapacity: CacheCapacity | undefined

  constructor(private readonly options: TransformerOptions) {
    const { manifest, runtime, chunks } = options
    const { transformer } = manifest
    this.frame = latentShape(manifest.video)
    const area = this.frame[1] * this.frame[2]
    this.tokens = {
      full: area / (transformer.patchSize[1] * transformer.patchSize[2]),
      compressed: area / (transformer.compressedPatchSize[1] * transformer.compressedPatchSize[2]),
    }
    this.fixedCapacity = runtime.device ? takeCapacity(chunks, transformer.fullChunkLimit) : undefined
    this.text = this.createText(options.text)
  }

  /** Changes the text for every step and cache write from now on. @param features `[L, Dt]` */
  setText(features: Float32Array): void {
    const before = this.text
    this.text = this.createText(features)
    this.tensors.release(before)
  }

  noise(chunk: Chunk): Tensor {
    const size = sizeOf(this.frame)
    const data = new Float32Array(chunk.count * size)
    const seed = this.options.seedOf(chunk)
    framesOf(chunk).forEach((frame, i) => data.set(frameNoise(seed, frame, size), i * size))
    return this.tensors.create([1, chunk.count, ...this.frame], data)
  }

  async step(
    latents: Tensor,
    t: number,
    r: number,
    positions: readonly number[],
    cache: KvCache,
  ): Promise<Tensor> {
    const scalar = (value: number): Tensor =>
      new this.options.runtime.ort.Tensor('float32', Float32Array.of(value), [1])
    const outputs = await this.options.stopwatch.time('pass', () =>
      this.options.step.run({
        latents,
        t: scalar(t),
        r: scalar(r),
        positions: this.tensors.int32([positions.length], Int32Array.from(positions)),
        text: this.text,
        cache: cache.values,
        cache_bias: cache.bias,
      }),
    )
    return outputs['next']!
  }

  emptyCache(): KvCache {
    const { layers, dim } = this.options.manifest.transformer
    const layout = this.layout({ compressed: [], full: [] })
    return { values: this.tensors.create([layers, 2, layout.slots, dim]), bias: this.stepBias(layout) }
  }

  async writeCache(split: ContextSplit, history: readonly Tensor[]): Promise<KvCache> {
    const layout = this.layout(split)
    const { capacity, slots } = layout
    const gather = (chunks: readonly Chunk[], frames: number): Tensor =>
      this.tensors.gather(
        chunks.map((chunk) => ({ tensor: history[chunk.index]!, first: 0, count: chunk.count })),
        frames,
        this.frame,
      )
    const compressed = gather(split.compressed, capacity.compressed)
    const full = gather(split.full, capacity.full)
    const bias = this.tensors.create([1, 1, slots, slots], layout.selfBias)
    try {
      const outputs = await this.options.stopwatch.time('cache', () =>
        this.options.cache.run({
          compressed,
          compressed_positions: this.tensors.int32([capacity.compressed], layout.compressedPositions),
          full,
          full_positions: this.tensors.int32([capacity.full], layout.fullPositions),
          bias,
          text: this.text,
        }),
      )
      return { values: outputs['cache']!, bias: this.stepBias(layout) }
    } finally {
      for (const tensor of [compressed, full, bias]) this.tensors.release(tensor)
    }
  }

  releaseLatents(latents: Tensor): void {
    this.tensors.release(latents)
  }

  releaseCache(cache: KvCache): void {
    this.tensors.release(cache.values)
    this.tensors.release(cache.bias)
  }

  dispose(): void {
    this.tensors.release(this.text)
  }

  private get tensors() {
    return this.options.runtime.tensors
  }

  private createText(features: Float32Array): Tensor {
    const { maxTokens, dim } = this.options.manifest.text
    return this.tensors.create([1, maxTokens, dim], features)
  }

  private layout(split: ContextSplit): CacheLayout {
    return layoutCache(split, this.fixedCapacity ?? exactCapacity(split), this.tokens)
  }

  private stepBias(layout: CacheLayout): Tensor {
    return this.tensors.create([1, 1, 1, layout.slots], layout.stepBias)
  }
}
