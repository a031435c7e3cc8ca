/** Estimates of the chunk under way: the mathematics, the pictures, and what the stage does with them. */

import { describe, expect, it } from 'vitest'

import { EstimatePainter } from '../../src/engine/estimate'
import { cleanEstimate } from '../../src/flowmap/estimate'
import { parseManifest, type Manifest } from '../../src/models/manifest'
import { Player } from '../../src/render/player'
import { PATIENCE, StageEstimate } from '../../src/worker/stage-estimate'
import { folderFetch, BASE } from './support/package'

/** The fixture's manifest, as JSON that a test may change. */
async function fixture(): Promise<Record<string, unknown> & Manifest> {
  const response = await folderFetch()(`${BASE}manifest.json`)
  return (await response.json()) as Record<string, unknown> & Manifest
}

describe('the clean estimate', () => {
  it('is the data when the velocity is exact, at any step', () => {
    const data = Float32Array.of(0.5, -1, 2)
    const noise = Float32Array.of(-0.3, 0.8, 1.5)
    const at = (t: number): Float32Array => data.map((value, i) => (1 - t) * value + t * noise[i]!)
    for (const [t, r] of [
      [1, 0.75],
      [0.75, 0.2],
      [0.2, 0],
    ] as const) {
      const estimate = cleanEstimate(at(t), at(r), t, r)
      estimate.forEach((value, i) => expect(value).toBeCloseTo(data[i]!, 5))
    }
  })

  it('is the result of a step that ends at the data', () => {
    const after = Float32Array.of(1, 2)
    expect(cleanEstimate(Float32Array.of(9, 9), after, 1, 0)).toEqual(after)
  })

  it('refuses what is no step', () => {
    const one = new Float32Array(1)
    expect(() => cleanEstimate(one, one, 0.5, 0.5)).toThrow(RangeError)
    expect(() => cleanEstimate(one, new Float32Array(2), 1, 0.5)).toThrow(RangeError)
  })
})

describe('small pictures', () => {
  it('follow the manifest, pixel by pixel', async () => {
    const json = await fixture()
    const { latentChannels: channels, width, spatialStride } = json.video
    const side = width / spatialStride
    // Red is channel 0, green the pixel's row, blue its column.
    const outputs = Array.from({ length: 12 }, (_, o) => ({
      c: Math.floor(o / 4),
      y: Math.floor((o % 4) / 2),
      x: o % 2,
    }))
    const manifest = parseManifest({
      ...json,
      estimate: {
        patch: 2,
        weights: Array.from({ length: channels }, (_, k) =>
          outputs.map(({ c }) => (k === 0 && c === 0 ? 1 : 0)),
        ),
        bias: outputs.map(({ c, y, x }) => (c === 1 ? y / 5 : c === 2 ? x / 5 : 0)),
      },
    })
    const area = side * side
    const latents = new Float32Array(2 * channels * area)
    // Second latent frame, row 1, column 2.
    latents[channels * area + side + 2] = 0.4
    const { width: w, height: h, frames } = EstimatePainter.of(manifest)!.paint(latents)
    expect([w, h, frames.length]).toEqual([2 * side, 2 * side, 2])
    const pixel = (frame: number, x: number, y: number): number[] => [
      ...frames[frame]!.subarray(4 * (y * w + x), 4 * (y * w + x) + 4),
    ]
    expect(pixel(1, 5, 3)).toEqual([102, 51, 51, 255])
    expect(pixel(1, 4, 2)).toEqual([102, 0, 0, 255])
    expect(pixel(0, 5, 3)).toEqual([0, 51, 51, 255])
    expect(pixel(1, 6, 3)).toEqual([0, 51, 0, 255])
  })

  it('are absent without the map, and a map of the wrong size is refused', async () => {
    const { estimate, ...rest } = await fixture()
    expect(EstimatePainter.of(parseManifest(rest))).toBeUndefined()
    expect(EstimatePainter.of(parseManifest({ ...rest, estimate }))).toBeDefined()
    const short = { ...estimate!, bias: estimate!.bias.slice(1) }
    expect(() => parseManifest({ ...rest, estimate: short })).toThrow(/estimate.*values a row/)
    const few = { ...estimate!, weights: estimate!.weights.slice(1) }
    expect(() => parseManifest({ ...rest, estimate: few })).toThrow(/latent channels/)
  })
})

describe('the estimate on the stage', () => {
  const picture = (value: number) => Uint8ClampedArray.of(value, 0, 0, 255)
  const message = (first: number, count: number, values: number[]) => ({
    ...({ type: 'estimate', first, count } as const),
    pictures: { width: 1, height: 1, frames: values.map(picture) },
    video: { width: 4, height: 4, fps: 10 },
  })

  it('stands for the frames of its chunk that are not decoded', () => {
    const estimate = new StageEstimate()
    estimate.set(message(5, 8, [1, 2]), 0)
    expect(estimate.tail(5, 0)).toBe(8)
    expect(estimate.tail(9, 0), 'half of the chunk is decoded').toBe(4)
    expect(estimate.tail(2, 3), 'the oldest three frames are gone').toBe(8)
    expect(estimate.tail(13, 0)).toBe(0)
    expect([5, 8, 9, 12].map((frame) => estimate.at(frame)?.[0])).toEqual([1, 1, 2, 2])
    estimate.clear()
    expect(estimate.tail(5, 0)).toBe(0)
    expect(estimate.at(5)).toBeUndefined()
  })

  it('takes an empty stage at once, and the place of an older take only after a while', () => {
    const estimate = new StageEstimate()
    expect(estimate.covers(0, 0)).toBe(false)
    estimate.set(message(0, 1, [1]), 1000)
    estimate.set(message(0, 1, [2]), 1200)
    expect(estimate.covers(0, 1000)).toBe(true)
    expect(estimate.covers(9, 1000 + PATIENCE - 1)).toBe(false)
    expect(estimate.covers(9, 1000 + PATIENCE)).toBe(true)
    expect(estimate.tail(9, 0), 'it continues no other take').toBe(0)
    expect(estimate.inTurn(0)?.[0]).toBe(2)
  })
})

describe('a player with frames to come', () => {
  it('loops through them, and no further than what is decoded once paused', () => {
    const player = new Player()
    player.reset(10, 0)
    player.setCount(2, 0, 2)
    expect([0, 100, 200, 300, 400].map((now) => player.frameAt(now))).toEqual([0, 1, 2, 3, 0])
    player.pause(300)
    expect(player.frameAt(300)).toBe(1)
  })

  it('goes on from where it is when they are decoded', () => {
    const player = new Player()
    player.reset(10, 0)
    player.setCount(2, 0, 2)
    player.setCount(4, 300, 0)
    expect(player.frameAt(300)).toBe(3)
    expect(player.frameAt(400)).toBe(0)
  })

  it('waits before them in a live stream, and when it does not loop', () => {
    const player = new Player()
    player.reset(10, 0, true)
    player.setCount(2, 0, 2)
    expect([100, 200, 900].map((now) => player.frameAt(now))).toEqual([1, 1, 1])
    expect([100, 200].map((now) => player.isWaiting(now))).toEqual([false, true])
    player.pause(900)
    expect(player.isWaiting(900)).toBe(false)
    const once = new Player()
    once.reset(10, 0)
    once.setCount(2, 0)
    expect(once.isWaiting(900)).toBe(false)
    once.setMode(false, 1, 100)
    expect(once.isWaiting(900)).toBe(true)
  })
})
