/**
 * The self-test that runs on a WebGPU device before a model does. ORT's flash-attention kernel can be silently wrong
 * (it is where the subgroup size differs from what it expects), so attention is run on known numbers first and
 * compared with attention computed here in double precision.
 */

import { writeModel } from './onnx-writer'
import type { Ort } from './ort'

/** A shape of attention: tokens of the query and the key side, heads and head size. */
interface Case {
  readonly queries: number
  readonly keys: number
  readonly heads: number
  readonly headSize: number
}

/** One case a kernel family: a long prefill with more keys than queries, a square one, one query. */
const CASES: readonly Case[] = [
  { queries: 48, keys: 80, heads: 2, headSize: 32 },
  { queries: 64, keys: 64, heads: 1, headSize: 64 },
  { queries: 1, keys: 40, heads: 2, headSize: 16 },
]

/** Largest absolute difference that rounding explains; outputs are of order 1. */
const TOLERANCE = 2e-3

const MASK = -30000

/** Numbers in -1..1 that need no generator: fixed, irregular, without symmetry. */
function pattern(size: number, salt: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => Math.sin(i * 12.9898 + salt * 78.233 + (i % 7)))
}

/** Multi-head attention in double precision: `softmax(q k^T / sqrt(d) + bias) v`, heads side by side in a row. */
export function referenceAttention(
  q: Float32Array,
  k: Float32Array,
  v: Float32Array,
  bias: Float32Array,
  shape: Case,
): Float32Array {
  const { queries, keys, heads, headSize } = shape
  const width = heads * headSize
  const out = new Float32Array(queries * width)
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < queries; i++) {
      const scores = new Float64Array(keys)
      for (let j = 0; j < keys; j++) {
        let dot = 0
        for (let c = 0; c < headSize; c++) {
          dot += q[i * width + head * headSize + c]! * k[j * width + head * headSize + c]!
        }
        scores[j] = dot / Math.sqrt(headSize) + bias[i * keys + j]!
      }
      const top = scores.reduce((a, b) => Math.max(a, b))
      const weights = scores.map((score) => Math.exp(score - top))
      const total = weights.reduce((a, b) => a + b)
      for (let c = 0; c < headSize; c++) {
        let sum = 0
        for (let j = 0; j < keys; j++) sum += (weights[j]! / total) * v[j * width + head * headSize + c]!
        out[i * width + head * headSize + c] = sum
      }
    }
  }
  return out
}

/** Largest absolute error of the device's attention over all cases; NaN counts as infinite. */
export async function attentionError(ort: Ort, device: GPUDevice): Promise<number> {
  let worst = 0
  for (const shape of CASES) worst = Math.max(worst, await runCase(ort, device, shape))
  return worst
}

/** True when attention on this device can be trusted. */
export function isAcceptable(error: number): boolean {
  return error <= TOLERANCE
}

async function runCase(ort: Ort, device: GPUDevice, shape: Case): Promise<number> {
  const { queries, keys, heads, headSize } = shape
  const width = heads * headSize
  const dims = {
    q: [1, queries, width],
    k: [1, keys, width],
    v: [1, keys, width],
    bias: [1, 1, queries, keys],
  }
  const model = writeModel({
    op: 'MultiHeadAttention',
    domain: 'com.microsoft',
    attributes: { num_heads: heads },
    inputs: Object.entries(dims).map(([name, dim]) => ({ name, shape: dim })),
    // query, key, value, bias, key_padding_mask, attention_bias
    nodeInputs: ['q', 'k', 'v', '', '', 'bias'],
    output: { name: 'out', shape: [1, queries, width] },
  })
  const q = pattern(queries * width, 1)
  const k = pattern(keys * width, 2)
  const v = pattern(keys * width, 3)
  // A third of the keys is masked, another third for each query.
  const bias = Float32Array.from({ length: queries * keys }, (_, i) =>
    (Math.floor(i / keys) + (i % keys)) % 3 === 0 ? MASK : 0,
  )
  const session = await ort.InferenceSession.create(model, {
    executionProviders: [{ name: 'webgpu', device } as never],
  })
  try {
    const tensor = (data: Float32Array, dim: number[]) => new ort.Tensor('float32', data, dim)
    const result = await session.run({
      q: tensor(q, dims.q),
      k: tensor(k, dims.k),
      v: tensor(v, dims.v),
      bias: tensor(bias, dims.bias),
    })
    const got = (await result['out']!.getData()) as Float32Array
    const want = referenceAttention(q, k, v, bias, shape)
    let worst = 0
    for (let i = 0; i < want.length; i++) {
      const difference = Math.abs(got[i]! - want[i]!)
      if (!(difference <= worst)) worst = Number.isNaN(difference) ? Infinity : difference
    }
    return worst
  } finally {
    await session.release()
  }
}
