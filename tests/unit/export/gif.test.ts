import { expect, it } from 'vitest'

import { GifEncoder } from '../../../src/export/gif-encoder'

/** Delays of a GIF's frames, hundredths of a second, by its graphic control extensions. */
function delays(bytes: Uint8Array): number[] {
  const found: number[] = []
  for (let i = 0; i + 7 < bytes.length; i++) {
    if (bytes[i] === 0x21 && bytes[i + 1] === 0xf9 && bytes[i + 2] === 4 && bytes[i + 7] === 0)
      found.push(bytes[i + 4]! + 256 * bytes[i + 5]!)
  }
  return found
}

it('writes a GIF that repeats, with one palette and the right length', async () => {
  const frames = Array.from({ length: 16 }, (_, i) => {
    const rgba = new Uint8ClampedArray(8 * 8 * 4).fill(255)
    for (let p = 0; p < 64; p++) rgba.set([p < 4 * i ? 250 : 10, 40, 90], 4 * p)
    return rgba
  })
  const gif = new GifEncoder(8, 8, 16, frames.length)
  expect(gif.samples.length).toBeGreaterThan(1)
  for (const index of gif.samples) gif.look(frames[index]!)
  for (const [index, rgba] of frames.entries()) await gif.add(index, rgba)
  const { data, codecName } = await gif.finish()
  const bytes = new Uint8Array(data!)
  const text = new TextDecoder('latin1').decode(bytes)
  expect(text.slice(0, 6)).toBe('GIF89a')
  expect(codecName).toBe('GIF')
  expect(new DataView(data!).getUint16(6, true)).toBe(8)
  expect(text).toContain('NETSCAPE2.0')
  const times = delays(bytes)
  expect(times).toHaveLength(16)
  // 16 frames at 16 a second last one second, though no frame can last 6.25 hundredths.
  expect(times.reduce((sum, time) => sum + time, 0)).toBe(100)
})
