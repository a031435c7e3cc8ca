import { describe, expect, it, vi } from 'vitest'

import type { LoadedModel } from '../../../src/engine/types'
import type { Clip, TakeRecord } from '../../../src/gallery/records'
import { openTake, restoreSettings } from '../../../src/store/kept-take'
import { createModelStore } from '../../../src/store/model'
import { createRequestStore } from '../../../src/store/request'
import { createTakeStore } from '../../../src/store/take'
import { TakeRunner } from '../../../src/store/take-runner'
import { FakeGenerator, settle } from './fake-generator'
import { record, setUpGallery } from './fake-gallery'

/** A clip with a number of its own, and a promise for it that the test keeps. */
function clipOf(fps: number) {
  const clip: Clip = {
    width: 4,
    height: 4,
    fps,
    frames: Array.from({ length: 5 }, () => new Uint8ClampedArray(64)),
  }
  let arrive: () => void = () => undefined
  const arriving = new Promise<Clip>((resolve) => (arrive = () => resolve(clip)))
  return { arrive, arriving }
}

function setUp(takes: TakeRecord[] = []) {
  const fake = new FakeGenerator()
  const presented: number[] = []
  const present = vi.fn((clip: Pick<Clip, 'fps'>) => {
    presented.push(clip.fps)
    return Promise.resolve({ frame: 0, count: 5, playing: true })
  })
  const generator = Object.assign(fake.asGenerator(), { present })
  const model = createModelStore()
  model.setState({
    phase: 'ready',
    loaded: { manifest: { id: 'tiny', name: 'Tiny' }, lengths: [1, 3, 5] } as unknown as LoadedModel,
  })
  const request = createRequestStore({ prompt: 'a new one', seed: 1, steps: 2, length: 3 }, [], false)
  const take = createTakeStore()
  const runner = new TakeRunner(generator, request, model, take)
  const parts = { generator, request, model, take, runner }
  const { gallery, storage, open } = setUpGallery(takes)
  open.mockImplementation((...wish) => openTake(parts, ...wish))
  take.subscribe(({ shown }, before) => {
    if (shown?.request !== before.shown?.request) gallery.follow(shown?.request)
  })
  return { ...parts, fake, gallery, storage, present, presented }
}

describe('opening a kept take', () => {
  it('shows the one that was asked for last, whichever is unpacked first', async () => {
    const { gallery, storage, presented } = setUp([record('long', 2), record('short', 1)])
    await gallery.load()
    const [long, short] = [clipOf(1), clipOf(2)]
    storage.clip.mockReturnValueOnce(long.arriving).mockReturnValueOnce(short.arriving)
    const both = [gallery.open('long'), gallery.open('short')]
    short.arrive()
    await settle()
    long.arrive()
    await Promise.all(both)
    expect(presented).toEqual([2])
    expect(gallery.store.getState().shownId).toBe('short')
  })

  it('is given up when a take begins before it is unpacked', async () => {
    const { gallery, storage, runner, take, fake, presented } = setUp([record('a', 1)])
    await gallery.load()
    const { arrive, arriving } = clipOf(1)
    storage.clip.mockReturnValueOnce(arriving)
    const opening = gallery.open('a')
    const making = runner.generate()
    await settle()
    await fake.step()
    arrive()
    await opening
    expect(take.getState().phase, 'goes on').toBe('running')
    expect(presented).toEqual([])
    await fake.step()
    await fake.step()
    await making
    expect(take.getState()).toMatchObject({ phase: 'done', stopped: false, frames: 3 })
    expect(gallery.store.getState().shownId).toBeUndefined()
  })

  it('leaves a take alone that begins while the stage takes the frames', async () => {
    const { gallery, storage, runner, take, fake, present } = setUp([record('a', 1)])
    await gallery.load()
    const { arrive, arriving } = clipOf(1)
    storage.clip.mockReturnValueOnce(arriving)
    arrive()
    let making: Promise<void> | undefined
    present.mockImplementationOnce(async () => {
      making = runner.generate()
      await settle()
      return { frame: 0, count: 5, playing: true }
    })
    await gallery.open('a')
    expect(take.getState()).toMatchObject({ phase: 'running', request: { prompt: 'a new one' } })
    expect(take.getState().shown?.request.prompt, 'what the stage has').toBe('prompt a')
    for (let i = 0; i < 3; i++) await fake.step()
    await making
    expect(take.getState()).toMatchObject({ phase: 'done', shown: { request: { prompt: 'a new one' } } })
  })

  it('stops what runs, and is not given up for what began before', async () => {
    const { gallery, runner, take, fake } = setUp([record('a', 1)])
    await gallery.load()
    const making = runner.generate()
    await settle()
    await fake.step()
    await gallery.open('a')
    await making
    expect(take.getState()).toMatchObject({ phase: 'done', shown: { request: { prompt: 'prompt a' } } })
  })
})

describe('restoring the settings of a take that began with given frames', () => {
  it.each([
    [1, /began with an image.*does not keep.*under Image/],
    [9, /began with 9 frames of a clip.*does not keep.*under Continue/],
  ])('says that they must be given again: %i', async (givenFrames, words) => {
    const { request, model, runner } = setUp()
    const target = {
      ...{ request, model, runner },
      choose: vi.fn(() => Promise.resolve()),
      isInstalled: vi.fn(() => Promise.resolve(false)),
    }
    const kept = { prompt: 'a ball', steps: 4, seed: 7, frames: 5 }
    await restoreSettings(target, { request: { ...kept, givenFrames }, model: { id: 'tiny', name: 'Tiny' } })
    expect(request.getState()).toMatchObject({ prompt: 'a ball', notices: [expect.stringMatching(words)] })
    await restoreSettings(target, { request: kept, model: { id: 'tiny', name: 'Tiny' } })
    expect(request.getState().notices).toEqual([])
  })
})
