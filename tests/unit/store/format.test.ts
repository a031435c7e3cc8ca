import { expect, it } from 'vitest'

import { formatBytes, formatDuration, formatTimecode, takeFileName } from '../../../src/store/format'

it('formats sizes and times', () => {
  expect([12, 54_321, 24_300_000, 2.5e9].map(formatBytes)).toEqual(['12 B', '54 kB', '24.3 MB', '2.50 GB'])
  expect([3.21, 84.4, 1320, 12_400, 125_000].map(formatDuration)).toEqual([
    '3.2 ms',
    '84 ms',
    '1.32 s',
    '12.4 s',
    '2 min 05 s',
  ])
  expect(formatTimecode(33, 16)).toBe('0:02.1')
})

it('names files after the take', () => {
  const request = { prompt: 'A red ball, on grass/../etc!', seed: 7, steps: 4 }
  expect(takeFileName(request, 'mp4')).toBe('a-red-ball-on-grass-etc-seed7-4steps.mp4')
  expect(takeFileName({ ...request, prompt: '??' }, 'mp4')).toBe('take-seed7-4steps.mp4')
})
