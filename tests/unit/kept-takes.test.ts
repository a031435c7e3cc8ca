import { beforeEach, describe, expect, it, vi } from 'vitest'

import { KeptTakes } from '../../src/worker/kept-takes'

/** Frames that carry their number in the first byte. */
function take(count: number, fps = 10) {
  const frames = Array.from({ length: count }, (_, i) => Uint8ClampedArray.of(i, 0, 0, 255))
  return { frames, width: 1, height: 1, fps }
}

/** A canvas that notes which frames were put on it. */
function canvas() {
  const shown: number[] = []
  const context = { putImageData: ({ rgba }: { rgba: Uint8ClampedArray }) => shown.push(rgba[0]!) }
  return {
    shown,
    offscreen: { width: 0, height: 0, getContext: () => context } as unknown as OffscreenCanvas,
  }
}

beforeEach(() => {
  vi.stubGlobal(
    'ImageData',
    class {
      constructor(readonly rgba: Uint8ClampedArray) {}
    },
  )
  return () => void vi.unstubAllGlobals()
})

describe('held takes', () => {
  it('play on tiles in step with each other, whenever the tiles were added', () => {
    const kept = new KeptTakes()
    const [a, b] = [canvas(), canvas()]
    kept.attach(a.offscreen, kept.keep(take(4)), 'tiles', 1000)
    for (const now of [1000, 1050, 1100, 1250]) kept.draw(now, -1)
    kept.attach(b.offscreen, kept.keep(take(4)), 'tiles', 1260)
    for (const now of [1260, 1300, 1400]) kept.draw(now, -1)
    expect(a.shown).toEqual([0, 1, 2, 3, 0])
    expect(b.shown).toEqual([2, 3, 0])
  })

  it("follow the preview's frame where that is asked for", () => {
    const kept = new KeptTakes()
    const tile = canvas()
    kept.attach(tile.offscreen, kept.keep(take(3)), 'preview', 0)
    for (const frame of [-1, 1, 1, 2, 4]) kept.draw(999, frame)
    expect(tile.shown).toEqual([0, 1, 2, 1])
  })

  it('are gone once dropped, and say so', () => {
    const kept = new KeptTakes()
    const id = kept.keep(take(1))
    expect(kept.get(id).frames).toHaveLength(1)
    kept.drop([id])
    expect(() => kept.get(id)).toThrow(/no longer held/)
    expect(() => kept.attach(canvas().offscreen, id, 'tiles', 0)).toThrow(/no longer held/)
    expect(kept.hasTiles).toBe(false)
  })

  it('stop playing on a tile that is taken away', () => {
    const kept = new KeptTakes()
    const tile = canvas()
    const id = kept.attach(tile.offscreen, kept.keep(take(3)), 'tiles', 0)
    kept.draw(0, -1)
    kept.detach(id)
    kept.draw(100, -1)
    expect(tile.shown).toEqual([0])
    expect(kept.hasTiles).toBe(false)
  })
})
