import { describe, expect, it } from 'vitest'

import { centrePart, coverSize, cropRect, slackAxis, usablePart } from '../../src/media/fit'

const frame = { width: 128, height: 128 }

describe('fitting a picture', () => {
  it('covers the frame with the shorter side and leaves the longer one to choose from', () => {
    expect(coverSize({ width: 4000, height: 3000 }, frame)).toEqual({ width: 171, height: 128 })
    expect(coverSize({ width: 30, height: 60 }, frame)).toEqual({ width: 128, height: 256 })
    expect(coverSize({ width: 1, height: 1 }, { width: 832, height: 480 })).toEqual({
      width: 832,
      height: 832,
    })
    // Rounding never leaves a gap.
    expect(coverSize({ width: 1279, height: 1280 }, frame).height).toBeGreaterThanOrEqual(128)
  })

  it('moves the crop from one end to the other', () => {
    const cover = { width: 328, height: 128 }
    expect(slackAxis(cover, frame)).toBe('x')
    expect([0, 0.5, 1].map((position) => cropRect(cover, frame, position).x)).toEqual([0, 100, 200])
    expect(cropRect(cover, frame, 1)).toMatchObject({ y: 0, width: 128, height: 128 })
    expect(slackAxis({ width: 128, height: 200 }, frame)).toBe('y')
    expect(slackAxis(frame, frame)).toBeUndefined()
  })

  it('cuts a ribbon before it is scaled, so that no picture takes all the memory', () => {
    expect(usablePart({ width: 10_000, height: 10_000 }, frame)).toEqual({
      x: 0,
      y: 0,
      width: 10_000,
      height: 10_000,
    })
    const ribbon = usablePart({ width: 30_000, height: 10 }, frame)
    expect(ribbon).toEqual({ x: 14_960, y: 0, width: 80, height: 10 })
    const cover = coverSize(ribbon, frame)
    expect(cover.width).toBeLessThanOrEqual(8 * 128)
  })

  it('takes the middle of a clip', () => {
    expect(centrePart({ width: 1920, height: 1080 }, frame)).toEqual({
      x: 420,
      y: 0,
      width: 1080,
      height: 1080,
    })
  })
})
