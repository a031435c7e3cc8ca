/** Prompt to per-token features, remembered for the prompts used last. */

import type { Manifest } from '../models/manifest'
import type { Ort } from '../runtime/ort'
import type { Graph } from '../runtime/runtime'
import { checkTokens } from './request'
import type { WordPiece } from './tokenizer'

const REMEMBERED = 16

/** Features `[L, Dt]`, row-major, zero after the last token. */
export interface TextFeatures {
  readonly data: Float32Array
  /** 0 when they were remembered. */
  readonly milliseconds: number
}

/** The tokenizer and the text graph. The graph is small and runs on the CPU of every backend. */
export class TextEncoder {
  private readonly remembered = new Map<string, Float32Array>()

  constructor(
    private readonly tokenizer: WordPiece,
    private readonly text: Manifest['text'],
    private readonly graph: Graph,
    private readonly ort: Ort,
  ) {}

  /** @throws RequestError `prompt-too-long` */
  async encode(prompt: string): Promise<TextFeatures> {
    const ids = this.tokenizer.encode(prompt)
    const length = this.text.maxTokens
    checkTokens(ids.length, length)
    const key = ids.join(' ')
    const known = this.remembered.get(key)
    if (known) return { data: known, milliseconds: 0 }

    const started = performance.now()
    const inputIds = new BigInt64Array(length)
    const mask = new BigInt64Array(length)
    ids.forEach((id, index) => {
      inputIds[index] = BigInt(id)
      mask[index] = 1n
    })
    const outputs = await this.graph.run({
      input_ids: new this.ort.Tensor('int64', inputIds, [1, length]),
      attention_mask: new this.ort.Tensor('int64', mask, [1, length]),
    })
    const features = outputs['features']!
    const data = (features.data as Float32Array).slice()
    features.dispose()
    if (this.remembered.size >= REMEMBERED) {
      const [oldest] = this.remembered.keys()
      if (oldest !== undefined) this.remembered.delete(oldest)
    }
    this.remembered.set(key, data)
    return { data, milliseconds: performance.now() - started }
  }
}
