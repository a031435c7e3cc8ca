import { describe, expect, it } from 'vitest'

import { Enlarger, lanczos, phases } from '../../../src/export/resample'

function grey(width: number, height: number, value: (x: number, y: number) => number) {
  const rgba = new Uint8ClampedArray(width * height * 4)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      rgba.set([value(x, y), value(x, y), value(x, y), 255], 4 * (y * width + x))
  }
  return rgba
}

describe('Lanczos enlargement', () => {
  it('is the kernel: 1 in the middle, 0 at every other sample and beyond', () => {
    expect(lanczos(0)).toBe(1)
    for (const x of [1, 2, -1, -2]) expect(lanczos(x)).toBeCloseTo(0, 12)
    expect([lanczos(3), lanczos(4.5)]).toEqual([0, 0])
    // sinc(1/2) sinc(1/6)
    expect(lanczos(0.5)).toBeCloseTo((2 / Math.PI) * (3 / Math.PI), 12)
  })

  it('weighs to one, and the same from both sides', () => {
    for (const scale of [2, 4]) {
      const rows = phases(scale)
      for (const row of rows) expect(row.reduce((sum, tap) => sum + tap, 0)).toBeCloseTo(1, 6)
      rows.forEach((row, i) => {
        row.forEach((tap, j) => expect(tap).toBeCloseTo(rows[scale - 1 - i]![row.length - 1 - j]!, 6))
      })
    }
  })

  it.each([1, 2, 4])('keeps flat areas flat and opaque at %i times', (scale) => {
    const out = new Enlarger(5, 3, scale).enlarge(grey(5, 3, () => 77))
    expect(out).toHaveLength(5 * 3 * 4 * scale * scale)
    for (let i = 0; i < out.length; i += 4) expect([...out.subarray(i, i + 4)]).toEqual([77, 77, 77, 255])
  })

  it('puts a slope where it was, and keeps its mean', () => {
    const out = new Enlarger(12, 1, 2).enlarge(grey(12, 1, (x) => 20 * x))
    const row = Array.from({ length: 24 }, (_, x) => out[4 * x]!)
    // Between two samples a quarter of the way: away from the edges a slope stays a slope.
    for (let x = 8; x < 16; x++) expect(row[x]).toBeCloseTo(20 * ((x + 0.5) / 2 - 0.5), -0.5)
    expect(out.slice(96, 192), 'both rows are alike').toEqual(out.slice(0, 96))
  })
})
