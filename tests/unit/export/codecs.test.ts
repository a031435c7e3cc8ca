import { expect, it } from 'vitest'

import { avcLevel, codecCandidates, videoBitrate } from '../../../src/export/codecs'

it('chooses a level that the size and rate fit', () => {
  expect(avcLevel(128, 128, 16)).toBe(30)
  expect(avcLevel(832, 480, 16)).toBe(30)
  expect(avcLevel(1280, 720, 30)).toBe(31)
  expect(avcLevel(1920, 1080, 30)).toBe(40)
  expect(avcLevel(8192, 8192, 60)).toBeUndefined()
})

it('prefers H.264 High, and leaves it out where the size is odd', () => {
  expect(codecCandidates(128, 128, 16).map(({ config }) => config.codec)).toEqual([
    'avc1.64001e',
    'avc1.4d001e',
    'avc1.42e01e',
    'vp09.00.40.08',
  ])
  expect(codecCandidates(127, 128, 16).map(({ muxer }) => muxer)).toEqual(['vp9'])
})

it('gives a small clip more bits a pixel than a large one, within limits', () => {
  expect(videoBitrate(1280, 720, 30)).toBe(1280 * 720 * 30 * 0.5)
  expect(videoBitrate(128, 128, 16) / (128 * 128 * 16)).toBeCloseTo(3)
  expect(videoBitrate(480, 320, 16)).toBe(2_500_000)
})

it('spends more bits the higher the quality, at every size and rate', () => {
  for (const [width, height, fps] of [
    [64, 64, 16],
    [128, 128, 16],
    [512, 512, 16],
    [1920, 1080, 30],
  ] as const) {
    const [small, normal, high] = (['small', 'normal', 'high'] as const).map((quality) => {
      const rate = videoBitrate(width, height, fps, quality)
      for (const { config } of codecCandidates(width, height, fps, 'auto', quality))
        expect(config.bitrate).toBe(rate)
      return rate
    })
    expect(small).toBeLessThan(normal!)
    expect(normal).toBeLessThan(high!)
  }
})
