/** A take without an end on the tiny fixture, in Node. */

import { afterAll, beforeAll, expect, it } from 'vitest'

import { Engine } from '../../src/engine/engine'
import { heldFrames } from '../../src/engine/held-frames'
import type { GenerationRequest } from '../../src/engine/types'
import { BASE, folderFetch } from './support/package'

const engine = new Engine({ fetch: folderFetch() })
const request: GenerationRequest = {
  prompt: 'a red ball on grass',
  steps: 1,
  seed: 7,
  frames: 17,
  endless: true,
}

/** Runs until so many frames are there; `promptAt` says what the prompt is once so many are. */
async function run(wanted: GenerationRequest, frames: number, promptAt = (_frames: number) => wanted.prompt) {
  const controller = new AbortController()
  const pixels: number[] = []
  let count = 0
  let stopped: boolean | undefined
  const prompted: unknown[] = []
  const prompt = (): string => promptAt(count)
  for await (const event of engine.generate(wanted, controller.signal, { prompt })) {
    if (event.type === 'started') expect(event.chunks).toBe(wanted.endless ? 0 : 3)
    if (event.type === 'frames') {
      expect(event.first).toBe(count)
      count += event.count
      const data = await event.runtime.tensors.read(event.tensor)
      // One value of the middle of every frame.
      for (let i = event.offset; i < event.offset + event.count; i++)
        pixels.push(data[i * 3 * 64 * 64 + 32 * 64 + 32]!)
      if (count >= frames) controller.abort()
    }
    if (event.type === 'prompted') prompted.push(event)
    if (event.type === 'done') stopped = event.stopped
  }
  return { pixels, stopped, prompted }
}

beforeAll(async () => {
  await engine.load(BASE, { backend: 'wasm' })
})

afterAll(async () => {
  await engine.dispose()
})

it('goes on past its window until it is stopped, the same each time, and begins as a take with an end does', async () => {
  const { pixels, stopped } = await run(request, 50)
  expect(stopped).toBe(true)
  expect(pixels.length).toBeGreaterThanOrEqual(49)
  expect(pixels.every(Number.isFinite)).toBe(true)
  expect(new Set(pixels.slice(17)).size).toBeGreaterThan(10)
  expect((await run(request, 50)).pixels).toEqual(pixels)
  const { pixels: finite } = await run({ ...request, endless: false }, 100)
  expect(finite).toHaveLength(17)
  expect(pixels.slice(0, 17)).toEqual(finite)
})

it('follows the prompt from the next chunk on; one that cannot be used changes nothing', async () => {
  const plain = await run(request, 33)
  const edited = await run(request, 33, (frames) => (frames < 17 ? request.prompt : 'a blue cube on snow'))
  expect(edited.pixels.slice(0, 17)).toEqual(plain.pixels.slice(0, 17))
  expect(edited.pixels.slice(17)).not.toEqual(plain.pixels.slice(17))
  // Chunks of 1, 8, 8, 8 frames.
  expect(edited.prompted).toEqual([{ type: 'prompted', chunk: 4, prompt: 'a blue cube on snow' }])
  expect(plain.prompted).toEqual([])
  for (const useless of ['  ', 'red ball '.repeat(40)]) {
    const same = await run(request, 33, (frames) => (frames < 17 ? request.prompt : useless))
    expect(same.pixels).toEqual(plain.pixels)
    expect(same.prompted).toEqual([])
  }
})

it('makes the newest chunk again with another seed: the same frames before it, and as one take with these seeds', async () => {
  const pixels: number[] = []
  const undone: unknown[] = []
  let asked: number | undefined
  const controller = new AbortController()
  const redo = (): number | undefined => {
    const seed = asked
    asked = undefined
    return seed
  }
  for await (const event of engine.generate(request, controller.signal, { redo })) {
    if (event.type === 'undone') {
      undone.push(event)
      pixels.length = event.first
    }
    if (event.type !== 'frames') continue
    expect(event.first).toBe(pixels.length)
    const data = await event.runtime.tensors.read(event.tensor)
    for (let i = event.offset; i < event.offset + event.count; i++)
      pixels.push(data[i * 3 * 64 * 64 + 32 * 64 + 32]!)
    if (pixels.length === 25 && undone.length === 0) asked = 1234
    if (pixels.length >= 41) controller.abort()
  }
  // Chunks of 1, 8, 8, 8 frames: the fourth was the newest.
  expect(undone).toEqual([{ type: 'undone', chunk: 4, seed: 1234, first: 17 }])
  const plain = await run(request, 41)
  expect(pixels.slice(0, 17)).toEqual(plain.pixels.slice(0, 17))
  expect(pixels.slice(17, 25)).not.toEqual(plain.pixels.slice(17, 25))
  const direct = await run({ ...request, chunkSeeds: [{ chunk: 4, seed: 1234 }] }, 41)
  expect(pixels).toEqual(direct.pixels)
})

it('needs a window that can slide', async () => {
  await expect(run({ ...request, frames: 9 }, 9)).rejects.toMatchObject({ code: 'bad-request' })
})

it('holds the newest frames only', () => {
  const video = { width: 128, height: 128, fps: 16 }
  expect(heldFrames({}, video)).toBe(Infinity)
  expect(heldFrames({ endless: true }, video)).toBe(60 * 16)
  // 1.6 MB a frame.
  expect(heldFrames({ endless: true }, { width: 832, height: 480, fps: 16 })).toBe(168)
})
