import * as ort from 'onnxruntime-web/wasm'
import { describe, expect, it } from 'vitest'

import { isAcceptable, referenceAttention } from '../../src/runtime/attention-test'
import { writeModel } from '../../src/runtime/onnx-writer'
import { chooseThreads } from '../../src/runtime/ort'
import { hasJspi } from '../../src/runtime/ort-files'
import { SerialQueue } from '../../src/runtime/queue'
import { CpuTensors } from '../../src/runtime/tensors-cpu'

describe('SerialQueue', () => {
  it('runs one piece of work at a time, in order, and goes on after a failure', async () => {
    const queue = new SerialQueue()
    let running = 0
    const order: number[] = []
    const work = (id: number, fail = false) =>
      queue.run(async () => {
        expect(++running).toBe(1)
        await new Promise((resolve) => setTimeout(resolve, 5 - id))
        order.push(id)
        running--
        if (fail) throw new Error(`failed ${id}`)
        return id
      })
    const results = await Promise.allSettled([work(0), work(1, true), work(2), work(3)])
    expect(order).toEqual([0, 1, 2, 3])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  })
})

describe('chooseThreads', () => {
  it('uses one thread without isolation, else all of few cores and half of many', () => {
    expect(chooseThreads(16, false)).toBe(1)
    expect([1, 2, 4, 8, 16, 64].map((cores) => chooseThreads(cores, true))).toEqual([1, 2, 4, 4, 8, 8])
    expect(typeof hasJspi()).toBe('boolean')
  })
})

describe('CpuTensors', () => {
  const tensors = new CpuTensors(ort)

  it('gathers frames from several tensors and pads with zeros', async () => {
    const a = tensors.create([1, 2, 1, 2], Float32Array.of(1, 2, 3, 4))
    const b = tensors.create([1, 1, 1, 2], Float32Array.of(5, 6))
    const ranges = [
      { tensor: a, first: 1, count: 1 },
      { tensor: b, first: 0, count: 1 },
    ]
    const gathered = tensors.gather(ranges, 3, [1, 2])
    expect(gathered.dims).toEqual([1, 3, 1, 2])
    expect(await tensors.read(gathered)).toEqual(Float32Array.of(3, 4, 5, 6, 0, 0))
    expect(() => tensors.gather(ranges, 1, [1, 2])).toThrow(RangeError)
  })

  it('copies what it is given and what it gives', async () => {
    const data = Float32Array.of(1)
    const tensor = tensors.create([1], data)
    data[0] = 2
    const read = await tensors.read(tensor)
    read[0] = 3
    expect(await tensors.read(tensor)).toEqual(Float32Array.of(1))
    expect(await tensors.read(tensors.create([2, 2]))).toEqual(new Float32Array(4))
  })
})

describe('attention self-test', () => {
  const shape = { queries: 5, keys: 9, heads: 2, headSize: 4 }
  const values = (size: number, salt: number): Float32Array =>
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + salt))

  it("its own attention agrees with onnxruntime's CPU kernel, through a model it wrote itself", async () => {
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
      nodeInputs: ['q', 'k', 'v', '', '', 'bias'],
      output: { name: 'out', shape: [1, queries, width] },
    })
    const q = values(queries * width, 1)
    const k = values(keys * width, 2)
    const v = values(keys * width, 3)
    const bias = Float32Array.from({ length: queries * keys }, (_, i) => (i % 4 === 0 ? -30000 : 0))
    ort.env.wasm.numThreads = 1
    const session = await ort.InferenceSession.create(model)
    const feed = (data: Float32Array, dim: number[]) => new ort.Tensor('float32', data, dim)
    const { out } = await session.run({
      q: feed(q, dims.q),
      k: feed(k, dims.k),
      v: feed(v, dims.v),
      bias: feed(bias, dims.bias),
    })
    const want = referenceAttention(q, k, v, bias, shape)
    const got = out!.data as Float32Array
    want.forEach((value, i) => expect(Math.abs(got[i]! - value)).toBeLessThan(1e-5))
  })

  it('accepts rounding and refuses wrong numbers', () => {
    expect(isAcceptable(1e-5)).toBe(true)
    expect(isAcceptable(0.03)).toBe(false)
    expect(isAcceptable(Infinity)).toBe(false)
    expect(isAcceptable(NaN)).toBe(false)
  })
})
