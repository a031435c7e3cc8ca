import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { Compare, isComparing, refinedSteps } from '../../../src/store/compare'
import { createModelStore } from '../../../src/store/model'
import { createRequestStore } from '../../../src/store/request'
import { Sweep, SWEEP_STEPS } from '../../../src/store/sweep'
import { createTakeStore } from '../../../src/store/take'
import { REMAKE_DELAY, TakeRunner } from '../../../src/store/take-runner'
import { FakeGenerator, settle } from './fake-generator'

function setUp(steps = 4) {
  const fake = new FakeGenerator()
  const generator = fake.asGenerator()
  const request = createRequestStore({ prompt: 'a ball', seed: 7, steps, length: 2 }, [], true)
  const model = createModelStore()
  model.setState({ phase: 'ready' })
  const take = createTakeStore()
  const runner = new TakeRunner(generator, request, model, take)
  request.subscribe((now, before) => runner.requestChanged(now, before))
  const kept: number[] = []
  const sweep = new Sweep(generator, runner, request, take, (held) => {
    kept.push(held.shown.request.steps)
    return Promise.resolve()
  })
  const compare = new Compare(generator, runner, request, take)
  /** Lets what runs make frames until it is over. */
  const finish = async (): Promise<void> => {
    await settle()
    for (let i = 0; i < 100 && take.getState().phase === 'running'; i++) await fake.step()
  }
  return { fake, request, take, runner, sweep, compare, finish, kept }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a sweep', () => {
  it('makes the same noise at every number of steps, as one piece of work', async () => {
    const { fake, sweep, take, finish, request } = setUp()
    const phases = new Set<string>()
    const over = sweep.start()
    take.subscribe(({ phase }) => phases.add(phase))
    await finish()
    await over
    expect(fake.requests.map(({ steps }) => steps)).toEqual([...SWEEP_STEPS])
    expect(new Set(fake.requests.map(({ seed }) => seed))).toEqual(new Set([7]))
    const { takes, running } = sweep.store.getState()
    expect(running).toBe(false)
    expect(takes?.map(({ shown }) => shown.request.steps)).toEqual([...SWEEP_STEPS])
    expect(takes?.every(({ timings }) => timings !== undefined)).toBe(true)
    // It never looks finished in between.
    expect([...phases]).toEqual(['running', 'done'])
    expect(request.getState().steps).toBe(4)
  })

  it('stopped keeps what was finished', async () => {
    const { fake, sweep, runner, take } = setUp()
    const over = sweep.start()
    await settle()
    for (let i = 0; i < 5; i++) await fake.step()
    await runner.stop()
    await over
    expect(sweep.store.getState().takes).toHaveLength(2)
    expect(take.getState()).toMatchObject({ phase: 'done', stopped: true })
  })

  it('lets one be kept: it is shown, its steps are set, nothing is made again, nothing stays held', async () => {
    const { fake, sweep, take, request, finish } = setUp()
    const over = sweep.start()
    await finish()
    await over
    const eight = sweep.store.getState().takes!.find(({ shown }) => shown.request.steps === 8)!
    await sweep.choose(eight)
    expect(fake.shownKept).toEqual([eight.kept])
    expect(take.getState()).toMatchObject({ phase: 'done', shown: { request: { steps: 8 }, complete: true } })
    expect(request.getState().steps).toBe(8)
    expect(sweep.store.getState().takes).toBeUndefined()
    expect(fake.kept.size).toBe(0)
    vi.advanceTimersByTime(REMAKE_DELAY * 2)
    await settle()
    expect(fake.requests).toHaveLength(SWEEP_STEPS.length)
  })

  it('closed without a choice keeps the take that stays shown', async () => {
    const { sweep, finish, kept } = setUp()
    const over = sweep.start()
    await finish()
    await over
    await sweep.dismiss()
    expect(kept).toEqual([32])
    expect(sweep.store.getState().takes).toBeUndefined()
    await sweep.dismiss()
    expect(kept).toEqual([32])
  })

  it('gives way to a kept take that is opened', async () => {
    const { fake, sweep, take, finish } = setUp()
    const over = sweep.start()
    await finish()
    await over
    const { shown } = take.getState()
    take.setState({ phase: 'done', shown: { ...shown!, request: { ...shown!.request, steps: 3 } } })
    await settle()
    expect(sweep.store.getState().takes).toBeUndefined()
    expect(fake.kept.size).toBe(0)
  })

  it('gives way to the next take', async () => {
    const { fake, sweep, runner, finish } = setUp()
    const over = sweep.start()
    await finish()
    await over
    void runner.generate()
    await settle()
    expect(sweep.store.getState().takes).toBeUndefined()
    expect(fake.kept.size).toBe(0)
    await finish()
  })
})

describe('refining', () => {
  it('goes to the next higher number', () => {
    expect([1, 3, 4, 8, 20, 32, 63].map(refinedSteps)).toEqual([4, 4, 8, 16, 32, 64, 64])
    expect(refinedSteps(64)).toBeUndefined()
  })

  it('makes the draft again with the same noise and compares as frames come', async () => {
    const { fake, compare, runner, take, request, finish } = setUp()
    void runner.generate()
    await finish()
    const over = compare.refine()
    await settle()
    expect(isComparing(compare.store.getState(), take.getState())).toBe(false)
    await fake.step()
    expect(isComparing(compare.store.getState(), take.getState())).toBe(true)
    await finish()
    await over
    expect(fake.requests[1]).toMatchObject({ seed: 7, steps: 8, frames: 2 })
    expect(request.getState().steps).toBe(8)
    expect(isComparing(compare.store.getState(), take.getState())).toBe(true)
    vi.advanceTimersByTime(REMAKE_DELAY * 2)
    await settle()
    expect(fake.requests).toHaveLength(2)
  })

  it('goes back to the draft', async () => {
    const { fake, compare, runner, take, request, finish } = setUp()
    void runner.generate()
    await finish()
    const over = compare.refine()
    await finish()
    await over
    await compare.keepDraft()
    expect(take.getState().shown?.request.steps).toBe(4)
    expect(request.getState().steps).toBe(4)
    expect(compare.store.getState().draft).toBeUndefined()
    expect(fake.kept.size).toBe(0)
    expect(fake.shownKept).toHaveLength(1)
  })

  it('stopped before its first frame leaves the draft alone', async () => {
    const { fake, compare, runner, take, finish } = setUp()
    void runner.generate()
    await finish()
    const over = compare.refine()
    await settle()
    await runner.stop()
    await over
    expect(take.getState().shown?.request.steps).toBe(4)
    expect(compare.store.getState().draft).toBeUndefined()
    await settle()
    expect(fake.kept.size).toBe(0)
  })

  it('ends when another take is made', async () => {
    const { compare, runner, finish } = setUp()
    void runner.generate()
    await finish()
    const over = compare.refine()
    await finish()
    await over
    void runner.generate()
    await settle()
    expect(compare.store.getState().draft).toBeUndefined()
    await finish()
  })
})
