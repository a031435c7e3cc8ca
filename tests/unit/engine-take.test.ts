/** The whole engine on the tiny fixture with onnxruntime-web's WASM provider, in Node. */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { Engine } from '../../src/engine/engine'
import type { GenerationRequest } from '../../src/engine/types'
import { quantiseFrame } from '../../src/render/quantise'
import { BASE, folderFetch } from './support/package'
import { pathOf } from './support/vectors'

const reference = JSON.parse(readFileSync(pathOf('../../fixtures/tiny.reference.json'), 'utf8')) as {
  prompt: string
  seed: number
  steps: number
  frames: number
  tokens: number[]
  frame_means: [number, number, number][]
  frame_centres: [number, number, number][]
  bidirectional: { chunk_first: number; frame_means: [number, number, number][] }
}

const request: GenerationRequest = { prompt: 'a red ball bouncing on grass', steps: 3, seed: 7, frames: 17 }
const engine = new Engine({ fetch: folderFetch() })

/** SHA-256 of all bytes in order. */
function digest(parts: readonly ArrayBufferView[]): string {
  const hash = createHash('sha256')
  for (const { buffer, byteOffset, byteLength } of parts)
    hash.update(new Uint8Array(buffer, byteOffset, byteLength))
  return hash.digest('hex')
}

/** Runs a take to its end and keeps what it made. */
async function make(wanted: GenerationRequest, signal?: AbortSignal, by: Engine = engine) {
  const frames: Float32Array[] = []
  const rgba: Uint8ClampedArray[] = []
  const log: string[] = []
  let done: { stopped: boolean; frames: number } | undefined
  let fraction = 0
  for await (const event of by.generate(wanted, signal)) {
    log.push(event.type === 'progress' ? event.phase : event.type)
    if (event.type === 'progress') {
      expect(event.fraction).toBeGreaterThanOrEqual(fraction)
      fraction = event.fraction
    }
    if (event.type === 'frames') {
      expect(event.first).toBe(frames.length)
      const data = await event.runtime.tensors.read(event.tensor)
      const [, , height, width] = event.tensor.dims as [number, number, number, number]
      const size = 3 * width * height
      for (let i = event.offset; i < event.offset + event.count; i++) {
        frames.push(data.slice(i * size, (i + 1) * size))
        rgba.push(quantiseFrame(data, i, width, height))
      }
    }
    if (event.type === 'done') done = event
  }
  return { frames, rgba, log, done, fraction }
}

beforeAll(async () => {
  await engine.load(BASE, { backend: 'wasm' })
})

afterAll(async () => {
  await engine.dispose()
})

describe('a take on WASM', () => {
  it("is PyTorch's take, frame by frame", async () => {
    expect(engine.countTokens(reference.prompt)).toEqual({ used: reference.tokens.length, limit: 32 })
    const { prompt, seed, steps, frames } = reference
    const take = await make({ prompt, seed, steps, frames })
    expect(take.frames).toHaveLength(frames)
    const area = 64 * 64
    const centre = 32 * 64 + 32
    take.frames.forEach((frame, i) => {
      for (let channel = 0; channel < 3; channel++) {
        const plane = frame.subarray(channel * area, (channel + 1) * area)
        const mean = plane.reduce((a, b) => a + b, 0) / area
        expect(Math.abs(mean - reference.frame_means[i]![channel]!)).toBeLessThan(1e-3)
        expect(Math.abs(plane[centre]! - reference.frame_centres[i]![channel]!)).toBeLessThan(1e-3)
      }
    })
  })

  it('has the asked number of frames at 1, 3 and 7 steps, each a different video', async () => {
    const digests = new Set<string>()
    for (const steps of [1, 3, 7]) {
      const take = await make({ ...request, steps })
      expect(take.frames).toHaveLength(17)
      expect(take.done).toMatchObject({ stopped: false, frames: 17 })
      expect(take.fraction).toBeGreaterThan(0.9)
      // One progress event a pass, for each of the five chunks.
      expect(take.log.filter((type) => type === 'denoise')).toHaveLength(steps * 3)
      digests.add(digest(take.rgba))
    }
    expect(digests.size).toBe(3)
  })

  it('is the same, byte for byte, when asked for twice; another seed is another take', async () => {
    const first = await make(request)
    const second = await make(request)
    expect(digest(second.frames)).toBe(digest(first.frames))
    expect(digest(second.rgba)).toBe(digest(first.rgba))
    const other = await make({ ...request, seed: 8 })
    expect(digest(other.rgba)).not.toBe(digest(first.rgba))
  })

  it('begins as a shorter take does: frames do not depend on the length', async () => {
    const long = await make(request)
    const short = await make({ ...request, frames: 9 })
    expect(digest(long.frames.slice(0, 9))).toBe(digest(short.frames))
  })

  it('shows the first frame after one chunk, before the others are made', async () => {
    const { log } = await make(request)
    expect(log.filter((type) => type !== 'estimate').slice(0, 8)).toEqual([
      'started',
      'text',
      'denoise',
      'denoise',
      'denoise',
      'decode',
      'frames',
      'timing',
    ])
  })

  it('stops within one pass and can be started again', async () => {
    const controller = new AbortController()
    let after = 0
    let stopped: boolean | undefined
    for await (const event of engine.generate({ ...request, steps: 32 }, controller.signal)) {
      if (controller.signal.aborted) after++
      if (event.type === 'progress' && event.step === 5) controller.abort()
      if (event.type === 'done') stopped = event.stopped
    }
    expect(stopped).toBe(true)
    expect(after).toBe(1)
    expect((await make(request)).frames).toHaveLength(17)
  })

  it('measures what it says it measures', async () => {
    for await (const event of engine.generate(request)) {
      if (event.type !== 'done') continue
      const { passMs, cacheMs, chunkMs, frameMs, firstFrameMs, totalMs } = event.timings
      for (const value of [passMs, cacheMs, chunkMs, frameMs, firstFrameMs]) expect(value).toBeGreaterThan(0)
      expect(firstFrameMs!).toBeLessThan(totalMs)
      expect(passMs! * 9).toBeLessThan(totalMs)
    }
  })
})

describe('a bidirectional package', () => {
  it("makes all frames as one chunk, PyTorch's", async () => {
    const { chunk_first: first, frame_means: means } = reference.bidirectional
    const whole = folderFetch((name, bytes) => {
      if (name !== 'manifest.json') return bytes
      const manifest = JSON.parse(new TextDecoder().decode(bytes)) as {
        transformer: { chunkPlan: { first: number } }
      }
      manifest.transformer.chunkPlan.first = first
      return new TextEncoder().encode(JSON.stringify(manifest))
    })
    const other = new Engine({ fetch: whole })
    await other.load(BASE, { backend: 'wasm' })
    const { prompt, seed, steps, frames } = reference
    const take = await make({ prompt, seed, steps, frames }, undefined, other)
    await other.dispose()
    expect(take.frames).toHaveLength(frames)
    expect(take.log.filter((type) => type === 'denoise')).toHaveLength(steps)
    const area = 64 * 64
    take.frames.forEach((frame, i) => {
      for (let channel = 0; channel < 3; channel++) {
        const mean = frame.subarray(channel * area, (channel + 1) * area).reduce((a, b) => a + b, 0) / area
        expect(Math.abs(mean - means[i]![channel]!)).toBeLessThan(1e-3)
      }
    })
  })
})

describe('a request that cannot be made', () => {
  const cases: [string, Partial<GenerationRequest>, string, RegExp][] = [
    ['an empty prompt', { prompt: '  ' }, 'empty-prompt', /Describe the clip/],
    ['a long prompt', { prompt: 'red ball '.repeat(20) }, 'prompt-too-long', /uses \d+ tokens of 32/],
    ['no steps', { steps: 0 }, 'bad-request', /from 1 to 64/],
    ['half a step', { steps: 1.5 }, 'bad-request', /whole number/],
    ['a negative seed', { seed: -1 }, 'bad-request', /seed/],
    ['a length that no chunks make', { frames: 16 }, 'bad-request', /1, 9, 17/],
  ]
  it.each(cases)('%s is refused with advice', async (_name, change, code, message) => {
    const error: unknown = await make({ ...request, ...change }).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ name: 'RequestError', code })
    expect((error as Error).message).toMatch(message)
  })

  it('needs a model first', async () => {
    const empty = new Engine()
    const error: unknown = await empty
      .generate(request)
      .next()
      .catch((cause: unknown) => cause)
    expect(error).toMatchObject({ name: 'ModelError', code: 'model-not-loaded' })
  })
})
