import { describe, expect, it } from 'vitest'

import { frameNoise, MAX_SEED, philox4x32, seedWords, type Words } from '../../src/flowmap/philox'
import { readVectors } from './support/vectors'

const vectors = readVectors<{
  tolerance: number
  words: { counter: Words; key: [number, number]; words: Words }[]
  noise: { seed: number; frame: number; shape: number[]; words: Words[]; normals: number[] }[]
}>('philox')

describe('philox', () => {
  it("gives Random123's published words", () => {
    for (const { counter, key, words } of vectors.words) expect(philox4x32(counter, key)).toEqual(words)
  })

  it("draws Python's noise: same words, same normals", () => {
    expect(vectors.noise.some(({ seed }) => seed > 2 ** 32)).toBe(true)
    for (const { seed, frame, shape, words, normals } of vectors.noise) {
      words.forEach((word, block) => expect(philox4x32([block, frame, 0, 0], seedWords(seed))).toEqual(word))
      const size = shape.reduce((a, b) => a * b, 1)
      const noise = frameNoise(seed, frame, size)
      expect(noise).toHaveLength(normals.length)
      normals.forEach((value, i) =>
        expect(Math.abs(noise[i]! - value)).toBeLessThanOrEqual(vectors.tolerance),
      )
    }
  })

  it('is standard normal, and differs by seed and by frame', () => {
    const noise = frameNoise(11, 3, 65536)
    const mean = noise.reduce((a, b) => a + b, 0) / noise.length
    const variance = noise.reduce((a, b) => a + (b - mean) ** 2, 0) / noise.length
    expect(Math.abs(mean)).toBeLessThan(0.02)
    expect(Math.abs(variance - 1)).toBeLessThan(0.03)
    expect(frameNoise(11, 4, 8)).not.toEqual(frameNoise(11, 3, 8))
    expect(frameNoise(11 + 2 ** 32, 3, 8)).not.toEqual(frameNoise(11, 3, 8))
    // A shorter draw is the beginning of a longer one.
    expect(frameNoise(11, 3, 6)).toEqual(frameNoise(11, 3, 65536).slice(0, 6))
  })

  it('refuses seeds that a number cannot hold exactly', () => {
    expect(seedWords(MAX_SEED)).toEqual([0xffffffff, 0x1fffff])
    for (const seed of [-1, 1.5, MAX_SEED + 1, NaN]) expect(() => seedWords(seed)).toThrow(RangeError)
  })
})
