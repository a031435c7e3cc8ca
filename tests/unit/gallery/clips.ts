import type { TakeHead } from '../../../src/gallery/records'

/** Opaque frames with a gradient that moves, and some noise: each different, none trivial. */
export function testFrames(
  count: number,
  width: number,
  height: number,
  seed = 1,
): Uint8ClampedArray<ArrayBuffer>[] {
  let state = seed
  const random = (): number => (state = (state * 1103515245 + 12345) % 2147483648)
  return Array.from({ length: count }, (_, frame) => {
    const rgba = new Uint8ClampedArray(width * height * 4)
    for (let i = 0; i < width * height; i++) {
      rgba[4 * i] = (i * 3 + frame * 7) % 256
      rgba[4 * i + 1] = random() % 256
      rgba[4 * i + 2] = 255 - (i % 256)
      rgba[4 * i + 3] = 255
    }
    return rgba
  })
}

export function testHead(id: string, change: Partial<TakeHead> = {}): TakeHead {
  return {
    id,
    made: 1000,
    request: { prompt: 'a ball', steps: 4, seed: 7, frames: 5 },
    model: { id: 'tiny', name: 'Tiny' },
    backend: 'WASM, 1 thread',
    width: 6,
    height: 4,
    fps: 16,
    ...change,
  }
}
