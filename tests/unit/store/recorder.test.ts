import { describe, expect, it, vi } from 'vitest'

import type { GenerationRequest } from '../../../src/engine/types'
import type { TakeHead } from '../../../src/gallery/records'
import { TakeRecorder, type TakeKeeper } from '../../../src/store/recorder'
import type { FramePixels } from '../../../src/worker/protocol'
import { FakeGenerator, settle } from './fake-generator'

const REQUEST = { prompt: 'a ball', steps: 4, seed: 7, frames: 3 }

function setUp() {
  const fake = new FakeGenerator()
  const getFrame = (index: number): Promise<FramePixels> =>
    Promise.resolve({ index, width: 4, height: 4, rgba: new Uint8ClampedArray(64).fill(index) })
  const generator = {
    generate: (...args: Parameters<FakeGenerator['generate']>) => fake.generate(...args),
    getFrame,
    redoChunk: vi.fn(() => Promise.resolve()),
    setPrompt: vi.fn(() => Promise.resolve()),
  }
  const kept: number[] = []
  const keeper = {
    begin: vi.fn(),
    keep: vi.fn((_head: TakeHead, first: number, frames: Uint8ClampedArray[]) => {
      frames.forEach((rgba, i) => kept.push(rgba[0]! - first - i))
      return Promise.resolve()
    }),
    finish: vi.fn(() => Promise.resolve()),
  } satisfies TakeKeeper
  const recorder = new TakeRecorder(generator, keeper, () => ({ id: 'tiny', name: 'Tiny' }))
  const run = async (
    signal?: AbortSignal,
    request: GenerationRequest = REQUEST,
    keep?: boolean,
  ): Promise<string[]> => {
    const seen: string[] = []
    for await (const event of recorder.generate(request, signal, keep)) seen.push(event.type)
    return seen
  }
  return { fake, keeper, kept, run, recorder }
}

describe('TakeRecorder', () => {
  it('keeps each chunk as it is decoded, with what made it', async () => {
    const { fake, keeper, kept, run } = setUp()
    const over = run()
    await settle()
    await fake.step()
    expect(keeper.keep, 'before the take is over').toHaveBeenCalledTimes(1)
    await fake.step()
    await fake.step()
    expect(await over).toEqual(['started', 'frames', 'frames', 'frames', 'done'])
    await settle()
    expect(kept).toEqual([0, 0, 0])
    expect(keeper.begin).toHaveBeenCalledOnce()
    expect(keeper.finish).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ request: REQUEST, model: { id: 'tiny', name: 'Tiny' }, width: 4, fps: 16 }),
      'done',
      { totalMs: 1 },
    )
  })

  it('keeps what a stopped take has', async () => {
    const { fake, keeper, run } = setUp()
    const controller = new AbortController()
    const over = run(controller.signal)
    await settle()
    await fake.step()
    controller.abort()
    await over
    await settle()
    expect(keeper.keep).toHaveBeenCalledTimes(1)
    expect(keeper.finish).toHaveBeenCalledExactlyOnceWith(expect.anything(), 'stopped', { totalMs: 1 })
  })

  it('keeps nothing of a take without frames', async () => {
    const { keeper, run } = setUp()
    const controller = new AbortController()
    const over = run(controller.signal)
    await settle()
    controller.abort()
    await over
    await settle()
    expect(keeper.begin).not.toHaveBeenCalled()
    expect(keeper.finish).not.toHaveBeenCalled()
  })

  it('keeps neither candidates nor takes without an end, but the chosen candidate', async () => {
    const { fake, keeper, kept, recorder, run } = setUp()
    for (const [request, keep] of [
      [REQUEST, false],
      [{ ...REQUEST, endless: true }, true],
    ] as const) {
      const over = run(undefined, request, keep)
      await settle()
      for (let i = 0; i < REQUEST.frames; i++) await fake.step()
      await over
    }
    expect(keeper.begin).not.toHaveBeenCalled()
    const shape = { width: 4, height: 4, fps: 16, frames: 3, complete: true }
    await recorder.keepShown({ request: REQUEST, ...shape }, { totalMs: 2 }, 'WASM')
    expect(kept).toEqual([0, 0, 0])
    expect(keeper.finish).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ request: REQUEST, backend: 'WASM' }),
      'done',
      { totalMs: 2 },
    )
  })

  it('says how many frames were given', async () => {
    const { fake, keeper, run } = setUp()
    const request = { ...REQUEST, laterSteps: 2, given: [new Uint8ClampedArray(64)] }
    const over = run(undefined, request)
    await settle()
    for (let i = 0; i < REQUEST.frames; i++) await fake.step()
    await over
    const head: unknown = expect.objectContaining({ request: { ...REQUEST, laterSteps: 2, givenFrames: 1 } })
    expect(keeper.begin).toHaveBeenCalledExactlyOnceWith(head, request)
  })
})
