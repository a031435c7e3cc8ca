import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { LoadedModel } from '../../../src/engine/types'
import { AbortedError, BackendError, RequestError } from '../../../src/errors'
import { createModelStore } from '../../../src/store/model'
import { createRequestStore } from '../../../src/store/request'
import { createTakeStore, decodedFrames } from '../../../src/store/take'
import { type GivenFrames, PROMPT_DELAY, REMAKE_DELAY, TakeRunner } from '../../../src/store/take-runner'
import { FakeGenerator, settle } from './fake-generator'

function setUp(given?: GivenFrames) {
  const generator = new FakeGenerator()
  const request = createRequestStore({ prompt: 'a ball', seed: 7, steps: 4, length: 3 }, [], true)
  const model = createModelStore()
  model.setState({ phase: 'ready' })
  const take = createTakeStore()
  const runner = new TakeRunner(generator.asGenerator(), request, model, take, given)
  request.subscribe((now, before) => runner.requestChanged(now, before))
  const finish = async (): Promise<void> => {
    while (take.getState().phase === 'running') await generator.step()
  }
  return { generator, request, model, take, runner, finish }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a take', () => {
  it('counts frames as they come and ends done', async () => {
    const { take, runner, generator } = setUp()
    const over = runner.generate()
    await settle()
    expect(take.getState()).toMatchObject({ phase: 'running', frames: 0 })
    await generator.step()
    await generator.step()
    expect(decodedFrames(take.getState())).toBe(2)
    await generator.step()
    await over
    expect(take.getState()).toMatchObject({
      phase: 'done',
      stopped: false,
      shown: { frames: 3, complete: true },
    })
    expect(generator.requests).toEqual([{ prompt: 'a ball', seed: 7, steps: 4, frames: 3 }])
  })

  it('keeps what was decoded when it is stopped', async () => {
    const { take, runner, generator } = setUp()
    void runner.generate()
    await settle()
    await generator.step()
    await runner.stop()
    expect(take.getState()).toMatchObject({
      phase: 'done',
      stopped: true,
      shown: { frames: 1, complete: false },
    })
  })

  it('stopped before its first frame leaves the studio idle', async () => {
    const { take, runner } = setUp()
    void runner.generate()
    await settle()
    await runner.stop()
    expect(take.getState()).toMatchObject({ phase: 'idle', shown: undefined })
  })

  it('keeps what was decoded when the device is lost', async () => {
    const { take, runner, generator } = setUp()
    generator.failure = new BackendError('device-lost', 'The graphics device was lost. Press Generate.')
    generator.failAfter = 2
    void runner.generate()
    await settle()
    await generator.step()
    await generator.step()
    expect(take.getState()).toMatchObject({
      phase: 'error',
      failure: { code: 'device-lost' },
      shown: { frames: 2 },
    })
    expect(decodedFrames(take.getState())).toBe(2)
  })

  it('refused before it starts leaves the earlier one playable, and editing the prompt takes the error away', async () => {
    const { take, runner, generator, request, finish } = setUp()
    void runner.generate()
    await settle()
    await finish()
    generator.failure = new RequestError('empty-prompt', 'Type a prompt first.')
    await runner.generate()
    expect(take.getState()).toMatchObject({ phase: 'error', shown: { frames: 3 } })
    request.setState({ prompt: 'a cube' })
    expect(take.getState()).toMatchObject({ phase: 'done', failure: undefined })
  })

  it('asked for while another runs ends that one first', async () => {
    const { take, runner, generator, request, finish } = setUp()
    void runner.generate()
    await settle()
    await generator.step()
    request.setState({ prompt: 'a cube' })
    void runner.generate()
    await settle()
    await finish()
    expect(generator.requests.map(({ prompt }) => prompt)).toEqual(['a ball', 'a cube'])
    expect(take.getState()).toMatchObject({
      phase: 'done',
      shown: { request: { prompt: 'a cube' }, frames: 3 },
    })
  })

  it('with a seed that is no number says what to do', async () => {
    const { take, runner, request, generator } = setUp()
    request.setState({ seedText: 'x' })
    await runner.generate()
    expect(take.getState().failure?.message).toMatch(/seed must be a whole number/)
    expect(generator.requests).toEqual([])
  })
})

describe('moving Steps', () => {
  it('makes the finished take again with the same seed, once, after a pause', async () => {
    const { take, runner, generator, request, finish } = setUp()
    void runner.generate()
    await settle()
    await finish()
    for (const steps of [5, 9, 16]) {
      request.setState({ steps })
      vi.advanceTimersByTime(REMAKE_DELAY - 1)
    }
    expect(generator.requests).toHaveLength(1)
    vi.advanceTimersByTime(1)
    await settle()
    await finish()
    expect(generator.requests.slice(1)).toEqual([{ prompt: 'a ball', seed: 7, steps: 16, frames: 3 }])
    expect(take.getState().shown?.request.steps).toBe(16)
  })

  it('makes the take that is shown again, not one that was refused', async () => {
    const { runner, generator, request, finish } = setUp()
    void runner.generate()
    await settle()
    await finish()
    generator.failure = new RequestError('empty-prompt', 'Type a prompt first.')
    request.setState({ prompt: '' })
    await runner.generate()
    generator.failure = undefined
    request.setState({ prompt: 'a cube' })
    request.setState({ steps: 8 })
    vi.advanceTimersByTime(REMAKE_DELAY)
    await settle()
    await finish()
    expect(generator.requests.at(-1)).toMatchObject({ prompt: 'a ball', steps: 8 })
  })

  it.each([
    ['refused for want of an image', new RequestError('no-source', 'Choose an image first.')],
    ['stopped while its image was read', new AbortedError()],
  ])('makes nothing of a take that was %s', async (_what, error) => {
    const { take, runner, generator, request } = setUp(() => Promise.reject(error))
    await runner.generate()
    runner.sourceChanged()
    expect(take.getState().phase).toBe('idle')
    // As it is once something is shown, and was when only the refused request was at hand.
    take.setState({ phase: 'done' })
    request.setState({ steps: 8 })
    vi.advanceTimersByTime(REMAKE_DELAY)
    await settle()
    expect(generator.requests).toEqual([])
  })

  it('cancels the re-make in flight', async () => {
    const { take, runner, generator, request, finish } = setUp()
    void runner.generate()
    await settle()
    await finish()
    request.setState({ steps: 8 })
    expect(runner.justRemade).toBe(false)
    vi.advanceTimersByTime(REMAKE_DELAY)
    expect(runner.justRemade, 'a press now was aimed at Generate').toBe(true)
    await settle()
    await generator.step()
    vi.advanceTimersByTime(1000)
    expect(runner.justRemade).toBe(false)
    request.setState({ steps: 2 })
    vi.advanceTimersByTime(REMAKE_DELAY)
    await settle()
    await finish()
    expect(generator.requests.map(({ steps }) => steps)).toEqual([4, 8, 2])
    expect(take.getState()).toMatchObject({ phase: 'done', shown: { request: { steps: 2 }, frames: 3 } })
  })

  it('does nothing before there is a take, nor back at the same number', async () => {
    const { runner, generator, request, finish } = setUp()
    request.setState({ steps: 8 })
    vi.advanceTimersByTime(REMAKE_DELAY)
    expect(generator.requests).toHaveLength(0)
    void runner.generate()
    await settle()
    await finish()
    request.setState({ steps: 9 })
    request.setState({ steps: 8 })
    vi.advanceTimersByTime(REMAKE_DELAY)
    expect(generator.requests).toHaveLength(1)
  })
})

describe('an Endless take', () => {
  it('follows a prompt that was edited while its given frames were read', async () => {
    let read: () => void = () => undefined
    const { generator, request, model, runner } = setUp(
      () => new Promise((resolve) => (read = () => resolve([]))),
    )
    const sent: string[] = []
    Object.assign(generator, { setPrompt: (prompt: string) => (sent.push(prompt), Promise.resolve()) })
    model.setState({ loaded: { lengths: [1, 2, 3] } as unknown as LoadedModel })
    request.setState({ endless: true })
    void runner.generate()
    await settle()
    request.setState({ prompt: 'a cube' })
    vi.advanceTimersByTime(PROMPT_DELAY)
    expect(sent, 'there is no take yet to send it to').toEqual([])
    read()
    await settle()
    expect(generator.requests).toMatchObject([{ prompt: 'a ball', endless: true }])
    expect(sent).toEqual(['a cube'])
    await runner.stop()
  })

  it('waits for a prompt that is still being typed when it starts', async () => {
    const { generator, request, model, runner } = setUp()
    const sent: string[] = []
    Object.assign(generator, { setPrompt: (prompt: string) => (sent.push(prompt), Promise.resolve()) })
    model.setState({ loaded: { lengths: [1, 2, 3] } as unknown as LoadedModel })
    request.setState({ endless: true })
    void runner.generate()
    request.setState({ prompt: 'a c' })
    await settle()
    expect(sent).toEqual([])
    request.setState({ prompt: 'a cube' })
    vi.advanceTimersByTime(PROMPT_DELAY)
    expect(sent).toEqual(['a cube'])
    await runner.stop()
  })
})
