import { describe, expect, it } from 'vitest'

import { type Chunk, framesOf } from '../../src/flowmap/chunks'
import type { ContextSplit } from '../../src/flowmap/context'
import { frameNoise } from '../../src/flowmap/philox'
import { type FlowMapModel, rollout } from '../../src/flowmap/rollout'
import { sigmaSchedule } from '../../src/flowmap/schedule'
import { readVectors } from './support/vectors'

interface Numbers {
  a: number
  b: number
  c: number
  k: number
  p: number
}

const vectors = readVectors<{
  tolerance: number
  numbers: Numbers
  cases: {
    seed: number
    steps: number
    shift: number
    chunks: number[]
    shape: number[]
    context: number[]
    latents: number[]
  }[]
}>('rollout')

/** `u = a z + b t + c r + k mean(earlier frames) + p frame`, counting what it hands out and takes back. */
class LinearModel implements FlowMapModel<Float64Array, { mean: number }> {
  readonly alive = new Set<object>()
  steps = 0
  writes: ContextSplit[] = []

  constructor(
    private readonly numbers: Numbers,
    private readonly seed: number,
    private readonly size: number,
  ) {}

  own<T extends object>(thing: T): T {
    this.alive.add(thing)
    return thing
  }

  noise(chunk: Chunk): Float64Array {
    return this.own(
      Float64Array.from(framesOf(chunk).flatMap((f) => [...frameNoise(this.seed, f, this.size)])),
    )
  }

  step(z: Float64Array, t: number, r: number, positions: readonly number[], cache: { mean: number }) {
    this.steps++
    const { a, b, c, k, p } = this.numbers
    const next = z.map((value, i) => {
      const frame = positions[Math.floor(i / this.size)]!
      return value - (t - r) * (a * value + b * t + c * r + k * cache.mean + p * frame)
    })
    return Promise.resolve(this.own(next))
  }

  emptyCache() {
    return this.own({ mean: 0 })
  }

  writeCache(split: ContextSplit, history: readonly Float64Array[]) {
    this.writes.push(split)
    const values = history.flatMap((latents) => [...latents])
    return Promise.resolve(this.own({ mean: values.reduce((a, b) => a + b, 0) / values.length }))
  }

  releaseLatents(latents: Float64Array) {
    expect(this.alive.delete(latents)).toBe(true)
  }

  releaseCache(cache: { mean: number }) {
    expect(this.alive.delete(cache)).toBe(true)
  }
}

function toChunks(counts: readonly number[]): Chunk[] {
  let first = 0
  return counts.map((count, index) => {
    const chunk = { index, first, count }
    first += count
    return chunk
  })
}

const plan = toChunks([1, 2, 2])

describe('rollout', () => {
  it('makes the latents that Python makes, with and without given frames', async () => {
    for (const entry of vectors.cases) {
      const size = entry.shape.reduce((a, b) => a * b, 1)
      const chunks = toChunks(entry.chunks)
      const model = new LinearModel(vectors.numbers, entry.seed, size)
      const known: Float64Array[] = []
      let used = 0
      while (used < entry.context.length) {
        const count = chunks[known.length]!.count * size
        known.push(model.own(Float64Array.from(entry.context.slice(used, used + count))))
        used += count
      }
      const made: number[] = []
      const options = { chunks, sigmas: sigmaSchedule(entry.steps, entry.shift), fullChunkLimit: 3, known }
      for await (const event of rollout(model, options)) {
        if (event.type !== 'chunk') continue
        expect(event.known).toBe(event.chunk.index < known.length)
        made.push(...event.latents)
      }
      expect(made).toHaveLength(entry.latents.length)
      entry.latents.forEach((value, i) => expect(Math.abs(made[i]! - value)).toBeLessThan(vectors.tolerance))
      expect(model.steps).toBe(entry.steps * (chunks.length - known.length))
      expect(model.alive.size).toBe(0)
    }
  })

  it('works only when asked, one pass at a time', async () => {
    const model = new LinearModel(vectors.numbers, 1, 8)
    const events = rollout(model, { chunks: plan, sigmas: sigmaSchedule(3, 3), fullChunkLimit: 2 })
    expect(model.steps).toBe(0)
    await events.next()
    expect(model.steps).toBe(1)
    await events.next()
    expect(model.steps).toBe(2)
    await events.return()
    expect(model.steps).toBe(2)
    expect(model.alive.size).toBe(0)
  })

  it('writes a cache after every chunk but the last, compressing what is old', async () => {
    const model = new LinearModel(vectors.numbers, 1, 8)
    const types: string[] = []
    for await (const event of rollout(model, {
      chunks: plan,
      sigmas: sigmaSchedule(2, 3),
      fullChunkLimit: 2,
    })) {
      types.push(event.type)
    }
    expect(types.join(' ')).toBe('pass pass chunk cache pass pass chunk cache pass pass chunk')
    expect(model.writes.map(({ compressed, full }) => [compressed.length, full.length])).toEqual([
      [0, 1],
      [1, 1],
    ])
  })

  it('frees everything when the model fails', async () => {
    const model = new LinearModel(vectors.numbers, 1, 8)
    const real = model.step.bind(model)
    model.step = (...args) => (model.steps === 4 ? Promise.reject(new Error('broken')) : real(...args))
    const run = async (): Promise<void> => {
      const events = rollout(model, { chunks: plan, sigmas: sigmaSchedule(3, 3), fullChunkLimit: 2 })
      for await (const event of events) expect(event).toBeDefined()
    }
    await expect(run()).rejects.toThrow('broken')
    expect(model.alive.size).toBe(0)
  })
})
