/** Takes that begin with given frames, on the tiny fixture with onnxruntime-web's WASM provider, in Node. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { framesBehind, toPlanes } from '../../src/engine/encoder'
import { Engine } from '../../src/engine/engine'
import { countWork, planTake } from '../../src/engine/plan'
import type { GenerationRequest, Rgba } from '../../src/engine/types'
import type { Manifest } from '../../src/models/manifest'
import { quantiseFrame } from '../../src/render/quantise'
import { BASE, folderFetch } from './support/package'

const SIZE = 64
const fetch = folderFetch()
const engine = new Engine({ fetch })
const request: GenerationRequest = { prompt: 'a red ball bouncing on grass', steps: 2, seed: 7, frames: 17 }
let manifest: Manifest

/** A bright disc on a dark ground; it moves with `at`. */
function disc(at: number, tone = 255): Rgba {
  const rgba = new Uint8ClampedArray(SIZE * SIZE * 4)
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const inside = (x - 10 - at * 3) ** 2 + (y - 32) ** 2 < 100
      rgba.set([inside ? tone : 20, inside ? 60 : 20, 40, 255], (y * SIZE + x) * 4)
    }
  }
  return rgba
}

const clip = (count: number, from = 0): Rgba[] => Array.from({ length: count }, (_, i) => disc(from + i))

async function make(change: Partial<GenerationRequest>, signal?: AbortSignal) {
  const frames: Rgba[] = []
  const phases: string[] = []
  let stopped: boolean | undefined
  let fraction = 0
  let encodeMs: number | undefined
  for await (const event of engine.generate({ ...request, ...change }, signal)) {
    if (event.type === 'progress') {
      phases.push(`${event.phase} ${event.chunk}`)
      expect(event.fraction).toBeGreaterThanOrEqual(fraction)
      fraction = event.fraction
    }
    if (event.type === 'frames') {
      const data = await event.runtime.tensors.read(event.tensor)
      for (let i = 0; i < event.count; i++) frames.push(quantiseFrame(data, event.offset + i, SIZE, SIZE))
    }
    if (event.type === 'done') {
      stopped = event.stopped
      encodeMs = event.timings.encodeMs
    }
  }
  return { frames, phases, stopped, fraction, encodeMs }
}

beforeAll(async () => {
  manifest = (await engine.load(BASE, { backend: 'wasm' })).manifest
})

afterAll(async () => {
  await engine.dispose()
})

describe('what the encoder reads', () => {
  it('is frame 0 four times, then four frames at a time', () => {
    expect([0, 1, 2].map((latent) => framesBehind(latent, 4))).toEqual([
      [0, 0, 0, 0],
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ])
  })

  it('is planes of 0..1 without alpha', () => {
    const pixels = Uint8ClampedArray.of(255, 0, 51, 255, 0, 255, 102, 0)
    expect([...toPlanes([pixels], 2)].map((value) => Number(value.toFixed(3)))).toEqual([
      1, 0, 0, 1, 0.2, 0.4,
    ])
  })
})

describe('the plan of a take', () => {
  const steps = (change: Partial<GenerationRequest>): number[] =>
    planTake({ ...request, frames: 33, ...change }, manifest).map((planned) => planned.steps)

  it('has no passes for given chunks', () => {
    expect(steps({})).toEqual([2, 2, 2, 2, 2])
    expect(steps({ given: clip(1) })).toEqual([0, 2, 2, 2, 2])
    expect(steps({ given: clip(17) })).toEqual([0, 0, 0, 2, 2])
  })

  it('gives the first made chunk its own steps', () => {
    expect(steps({ steps: 8, laterSteps: 3 })).toEqual([8, 3, 3, 3, 3])
    expect(steps({ steps: 8, laterSteps: 3, given: clip(9) })).toEqual([0, 0, 8, 3, 3])
  })
})

describe('the work of a take', () => {
  it('is counted as it is done', () => {
    expect(countWork({ ...request, frames: 33 }, manifest)).toEqual({
      passes: 10,
      caches: 4,
      encodes: 0,
      frames: 33,
    })
    expect(countWork({ ...request, frames: 33, given: { length: 17 } }, manifest)).toEqual({
      passes: 4,
      caches: 2,
      encodes: 5,
      frames: 33,
    })
  })
})

describe('a take with given frames', () => {
  it('fetches the encoder only now', async () => {
    expect(fetch.asked).not.toContain('encoder.onnx')
    await make({ given: clip(1), frames: 9 })
    expect(fetch.asked).toContain('encoder.onnx')
  })

  it('begins with the image, whatever is made after it', async () => {
    const first = await make({ given: clip(1) })
    expect(first.frames).toHaveLength(17)
    expect(first.stopped).toBe(false)
    expect(first.fraction).toBeGreaterThan(0.9)
    expect(first.encodeMs).toBeGreaterThan(0)
    expect(first.phases.slice(0, 5)).toEqual(['text 1', 'encode 1', 'decode 1', 'decode 1', 'cache 1'])
    expect(first.phases.filter((phase) => phase.startsWith('denoise'))).toEqual([
      'denoise 2',
      'denoise 2',
      'denoise 3',
      'denoise 3',
    ])
    const other = await make({ given: clip(1), seed: 8 })
    expect(other.frames[0]).toEqual(first.frames[0])
    expect(other.frames[1]).not.toEqual(first.frames[1])
    const plain = await make({})
    expect(plain.frames[0]).not.toEqual(first.frames[0])
  })

  it('looks at what was given: another image leads to other frames', async () => {
    const red = await make({ given: [disc(0)], frames: 9 })
    const dark = await make({ given: [disc(0, 90)], frames: 9 })
    expect(dark.frames[8]).not.toEqual(red.frames[8])
    expect((await make({ given: [disc(0)], frames: 9 })).frames).toEqual(red.frames)
  })

  it('goes on from a clip, and a longer clip begins as a shorter one does', async () => {
    const short = await make({ given: clip(9), frames: 25 })
    const long = await make({ given: clip(17), frames: 25 })
    expect(short.frames).toHaveLength(25)
    expect(long.frames.slice(0, 9)).toEqual(short.frames.slice(0, 9))
    expect(long.frames[24]).not.toEqual(short.frames[24])
    // Only the newest given chunk is looked back from.
    expect(long.phases.filter((phase) => phase.startsWith('cache'))).toEqual(['cache 3'])
  })

  it('takes its steps chunk by chunk', async () => {
    const { phases } = await make({ steps: 5, laterSteps: 1 })
    const passes = (chunk: number): number => phases.filter((phase) => phase === `denoise ${chunk}`).length
    expect([1, 2, 3].map(passes)).toEqual([5, 1, 1])
  })

  it('stops while it encodes, and the next one works', async () => {
    const controller = new AbortController()
    let after = 0
    for await (const event of engine.generate({ ...request, given: clip(9) }, controller.signal)) {
      if (controller.signal.aborted) after++
      if (event.type === 'progress' && event.phase === 'encode' && event.chunk === 2) controller.abort()
      if (event.type === 'done') expect(event).toMatchObject({ stopped: true, frames: 0 })
    }
    expect(after).toBe(1)
    expect((await make({ given: clip(9) })).frames).toHaveLength(17)
  })

  const refused: [string, Partial<GenerationRequest>, RegExp][] = [
    ['as many frames as the take has', { given: clip(17) }, /nothing is left to make/],
    ['a number that no chunks make', { given: clip(5) }, /begin with 1, 9, 17/],
    ['a frame of another size', { given: [new Uint8ClampedArray(16)] }, /64 x 64/],
    ['later steps out of range', { laterSteps: 0 }, /from 1 to 64/],
  ]
  it.each(refused)('is refused with %s', async (_name, change, message) => {
    const error: unknown = await make(change).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ name: 'RequestError', code: 'bad-request' })
    expect((error as Error).message).toMatch(message)
  })
})
