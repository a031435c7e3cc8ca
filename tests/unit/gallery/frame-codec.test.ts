import { describe, expect, it } from 'vitest'

import { packFrames, unpackFrames } from '../../../src/gallery/frame-codec'
import { testFrames } from './clips'

describe('packed frames', () => {
  it.each([
    [1, 1, 1],
    [5, 6, 4],
    [3, 7, 5],
  ])('%i of %i x %i come back as they were', async (count, width, height) => {
    const frames = testFrames(count, width, height)
    const packed = await packFrames(frames, width, height)
    expect(await unpackFrames(packed, count, width, height)).toEqual(frames)
  })

  it('take little room where nothing moves', async () => {
    const [frame] = testFrames(1, 64, 64)
    const one = await packFrames([frame!], 64, 64)
    const many = await packFrames(
      Array.from({ length: 10 }, () => frame!),
      64,
      64,
    )
    expect(many.length).toBeLessThan(one.length * 2)
  })

  it('are refused when they hold less or more than they should', async () => {
    const packed = await packFrames(testFrames(2, 6, 4), 6, 4)
    await expect(unpackFrames(packed, 3, 6, 4)).rejects.toThrow(RangeError)
    await expect(unpackFrames(packed, 1, 6, 4)).rejects.toThrow(RangeError)
    await expect(unpackFrames(packed.slice(0, 20), 2, 6, 4)).rejects.toThrow()
  })
})
