import { describe, expect, it } from 'vitest'

import { allowedLengths, type Chunk, latentFrames, pixelFrames, planChunks } from '../../src/flowmap/chunks'
import { exactCapacity, layoutCache, MASKED, splitContext, takeCapacity } from '../../src/flowmap/context'
import { readVectors } from './support/vectors'

const vectors = readVectors<{
  plans: { latentFrames: number; first: number; rest: number; chunks: number[] }[]
  splits: { chunks: number[]; fullChunkLimit: number; pass: string; compressed: number[]; full: number[] }[]
  biases: {
    chunks: number[]
    fullChunkLimit: number
    fullSlots: number
    compressedSlots: number
    fullTokens: number
    compressedTokens: number
    bias: string[]
    cacheBias: string
  }[]
}>('chunks')

function toChunks(counts: readonly number[]): Chunk[] {
  let first = 0
  return counts.map((count, index) => {
    const chunk = { index, first, count }
    first += count
    return chunk
  })
}

const seen = (bias: Float32Array): string => Array.from(bias, (value) => (value === 0 ? '1' : '0')).join('')

describe('chunk plan', () => {
  it("equals Python's", () => {
    for (const { latentFrames: frames, first, rest, chunks } of vectors.plans) {
      expect(planChunks(frames, { first, rest })).toEqual(toChunks(chunks))
    }
  })

  it('covers every frame once, in order', () => {
    for (let frames = 1; frames <= 40; frames++) {
      const covered = planChunks(frames, { first: 1, rest: 3 }).flatMap(({ first, count }) =>
        Array.from({ length: count }, (_, i) => first + i),
      )
      expect(covered).toEqual(Array.from({ length: frames }, (_, i) => i))
    }
    expect(() => planChunks(0, { first: 1, rest: 2 })).toThrow(RangeError)
    expect(() => planChunks(1.5, { first: 1, rest: 2 })).toThrow(RangeError)
  })

  it('turns pixel frames into latent frames and back', () => {
    for (let latents = 1; latents < 30; latents++)
      expect(latentFrames(pixelFrames(latents, 4), 4)).toBe(latents)
    for (const frames of [0, 2, 4, 32, 1.25]) expect(() => latentFrames(frames, 4)).toThrow(RangeError)
  })

  it('lists the lengths that whole chunks make', () => {
    expect(allowedLengths({ first: 1, rest: 2 }, 4, 33)).toEqual([1, 9, 17, 25, 33])
    expect(allowedLengths({ first: 1, rest: 3 }, 4, 81)).toEqual([1, 13, 25, 37, 49, 61, 73])
    expect(allowedLengths({ first: 3, rest: 3 }, 4, 8)).toEqual([])
  })
})

describe('context', () => {
  it("splits chunks as Python's cache pass does", () => {
    const cases = vectors.splits.filter(({ pass }) => pass === 'cache')
    expect(cases.length).toBeGreaterThan(8)
    for (const { chunks, fullChunkLimit, compressed, full } of cases) {
      const split = splitContext(toChunks(chunks), fullChunkLimit)
      expect(split.compressed.map(({ count }) => count)).toEqual(compressed)
      expect(split.full.map(({ count }) => count)).toEqual(full)
    }
  })

  it('lays caches out and masks them as Python does, padding included', () => {
    for (const entry of vectors.biases) {
      const split = splitContext(toChunks(entry.chunks), entry.fullChunkLimit)
      const layout = layoutCache(
        split,
        { compressed: entry.compressedSlots, full: entry.fullSlots },
        { full: entry.fullTokens, compressed: entry.compressedTokens },
      )
      expect(layout.slots).toBe(entry.bias.length)
      expect(seen(layout.stepBias)).toBe(entry.cacheBias)
      entry.bias.forEach((row, i) => {
        expect(seen(layout.selfBias.subarray(i * layout.slots, (i + 1) * layout.slots))).toBe(row)
      })
    }
  })

  it('masks with a finite number and lets every row see itself', () => {
    const layout = layoutCache(
      { compressed: [], full: [] },
      { compressed: 2, full: 3 },
      { full: 4, compressed: 1 },
    )
    expect([...layout.stepBias].every((value) => value === MASKED)).toBe(true)
    for (let i = 0; i < layout.slots; i++) expect(layout.selfBias[i * layout.slots + i]).toBe(0)
  })

  it('has room for every cache of a take and no more', () => {
    const chunks = planChunks(9, { first: 1, rest: 2 })
    expect(takeCapacity(chunks, 3)).toEqual({ compressed: 3, full: 4 })
    expect(takeCapacity(chunks.slice(0, 1), 3)).toEqual({ compressed: 1, full: 1 })
    expect(exactCapacity(splitContext(chunks.slice(0, 2), 3))).toEqual({ compressed: 1, full: 3 })
    expect(() =>
      layoutCache(splitContext(chunks, 3), { compressed: 1, full: 4 }, { full: 4, compressed: 1 }),
    ).toThrow(RangeError)
  })
})
