import { expect, it } from 'vitest'

import { i420Size, rgbaToI420 } from '../../../src/export/i420'

function solid(width: number, height: number, rgb: readonly number[]): Uint8ClampedArray {
  const out = new Uint8ClampedArray(width * height * 4).fill(255)
  for (let i = 0; i < width * height; i++) out.set(rgb, i * 4)
  return out
}

// Reference values of 8-bit BT.709 studio range: white, black and the primaries.
it.each([
  [
    [255, 255, 255],
    [235, 128, 128],
  ],
  [
    [0, 0, 0],
    [16, 128, 128],
  ],
  [
    [255, 0, 0],
    [63, 102, 240],
  ],
  [
    [0, 255, 0],
    [173, 42, 26],
  ],
  [
    [0, 0, 255],
    [32, 240, 118],
  ],
])('converts %j to the standard code values', (rgb, [y, u, v]) => {
  const out = rgbaToI420(solid(4, 2, rgb), 4, 2)
  expect([...out]).toEqual([
    ...Array<number>(8).fill(y!),
    ...Array<number>(2).fill(u!),
    ...Array<number>(2).fill(v!),
  ])
})

it('averages chroma over 2x2 and repeats the edge of an odd size', () => {
  const rgba = solid(3, 3, [255, 0, 0])
  rgba.set([0, 0, 255, 255], 0)
  const out = rgbaToI420(rgba, 3, 3)
  expect(out).toHaveLength(i420Size(3, 3))
  expect(out).toHaveLength(9 + 8)
  expect([...out.subarray(9, 13)]).toEqual([137, 102, 102, 102])
})
