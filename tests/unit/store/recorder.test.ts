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
    Promise.resolve({ index, width: 4, height: 4, rgba: new Uint8ClampedArray(64).fill(index % 256) })
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
    truncate: vi.fn(() => Promise.resolve()),
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

  it('keeps no candidates, but the chosen one', async () => {
    const { fake, keeper, kept, recorder, run } = setUp()
    const over = run(undefined, REQUEST, false)
    await settle()
    for (let i = 0; i < REQUEST.frames; i++) await fake.step()
    await over
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

  it('keeps of a take without an end what the stage holds: the newest minute', async () => {
    const { fake, keeper, run } = setUp()
    const over = run(undefined, { ...REQUEST, endless: true, frames: 963 })
    await settle()
    for (let i = 0; i < 963; i++) await fake.step()
    await over
    const calls = keeper.keep.mock.calls as unknown as [TakeHead, number, Uint8ClampedArray[], number][]
    expect(calls.map(([, first]) => first)).toEqual(Array.from({ length: 963 }, (_, i) => i))
    // 60 s at 16 frames a second.
    expect(calls.map(([, , , from]) => from).slice(-4)).toEqual([0, 1, 2, 3])
    // The stage counts from the oldest frame that it holds.
    expect(calls.at(-1)![2][0]![0]).toBe((962 - 3) % 256)
    expect(calls.at(-1)![0].request).toMatchObject({ endless: true })
  })

  it('takes the frames away of a chunk that is made again, in order with what is kept', async () => {
    const { fake, keeper, run } = setUp()
    const generate = fake.generate.bind(fake)
    fake.generate = async function* (...args) {
      for await (const event of generate(...args)) {
        yield event
        if (event.type === 'frames' && event.first === 1)
          yield { type: 'undone', chunk: 2, seed: 9, first: 1 }
      }
    }
    const order: string[] = []
    keeper.keep.mockImplementation(async (_head, first) => {
      // Packing takes a while.
      await settle()
      order.push(`keep ${first}`)
    })
    keeper.truncate.mockImplementation(() => {
      order.push('truncate')
      return Promise.resolve()
    })
    const over = run(undefined, { ...REQUEST, endless: true })
    await settle()
    for (let i = 0; i < REQUEST.frames; i++) {
      await fake.step()
      await settle()
    }
    await over
    await settle()
    expect(order).toEqual(['keep 0', 'keep 1', 'truncate', 'keep 2'])
    const head: unknown = expect.objectContaining({
      request: { ...REQUEST, endless: true, chunkSeeds: [{ chunk: 2, seed: 9 }] },
    })
    expect(keeper.truncate).toHaveBeenCalledExactlyOnceWith(head, 1)
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
