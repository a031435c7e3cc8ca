import { describe, expect, it } from 'vitest'

import type { LoadedModel, Rgba } from '../../../src/engine/types'
import type { Clip } from '../../../src/media/clip'
import type { Picture } from '../../../src/media/picture'
import { MediaError } from '../../../src/media/pixels'
import { createModelStore } from '../../../src/store/model'
import { describeLead, encoderProblem, leadLength, leadProblem } from '../../../src/store/source'
import { type MediaReader, Sources } from '../../../src/store/sources'
import { createTakeStore } from '../../../src/store/take'
import { FakeGenerator, settle } from './fake-generator'

const loaded = (width: number, graphs: object = { encoder: {} }): LoadedModel =>
  ({
    lengths: [1, 9, 17, 25, 33],
    manifest: { name: 'Tiny', graphs, video: { width, height: 4, fps: 16 } },
  }) as unknown as LoadedModel

function setUp() {
  const closed: string[] = []
  const picture = (name: string): Picture => ({
    name,
    bitmap: { width: 8, height: 4, close: () => void closed.push(name) },
    frame: { width: 4, height: 4 },
  })
  const media: MediaReader = {
    openPicture: (_file, name) =>
      name === 'song.mp3'
        ? Promise.reject(new MediaError('"song.mp3" is not an image'))
        : Promise.resolve(picture(name)),
    takePicture: (_video, name) => Promise.resolve(picture(name)),
    cropPicture: (_picture, position) => Uint8ClampedArray.of(position * 100, 0, 0, 255),
    openClip: (_file, name): Promise<Clip> =>
      Promise.resolve({
        name,
        frames: 40,
        read: (first, count) =>
          Promise.resolve(Array.from({ length: count }, (_, i) => Uint8ClampedArray.of(first + i, 0, 0, 0))),
        close: () => closed.push(name),
      }),
  }
  const model = createModelStore()
  model.setState({ phase: 'ready', loaded: loaded(4) })
  const take = createTakeStore()
  const sources = new Sources(new FakeGenerator().asGenerator(), model, take, media)
  return { sources, media, picture, model, take, closed, state: () => sources.store.getState() }
}

const file = (name: string, type: string): File => new File([], name, { type })
const firsts = (frames: readonly Rgba[] | undefined): number[] => (frames ?? []).map((rgba) => rgba[0]!)

describe('how many frames lead in', () => {
  const lengths = [1, 9, 17, 25, 33]
  it('is at most half of the take, and what whole chunks stand for', () => {
    expect(leadLength(lengths, 33, 100)).toBe(17)
    expect(leadLength(lengths, 25, 100)).toBe(9)
    expect(leadLength(lengths, 17, 100)).toBe(9)
    expect(leadLength(lengths, 9, 100)).toBe(1)
  })
  it('is what there is before the cut', () => {
    expect(leadLength(lengths, 33, 16)).toBe(9)
    expect(leadLength(lengths, 33, 1)).toBe(1)
  })
  it('leaves something to make', () => {
    expect(leadLength(lengths, 1, 100)).toBeUndefined()
    expect(leadLength([9, 17], 17, 4)).toBeUndefined()
  })
})

it('what leads in is said without a number where there is no end', () => {
  expect(describeLead(9, 33, false)).toBe('The last 9 frames before the cut lead in, 24 are new.')
  expect(describeLead(1, 33, true)).toBe(
    'The last frame before the cut leads in, new ones follow until you stop.',
  )
})

it('what keeps a take from going on is the cut or the length', () => {
  expect(leadProblem([9, 17, 33], 33, 8)).toMatch(/needs 9 frames before the cut/)
  expect(leadProblem([1, 9], 1, 40)).toMatch(/longer Length/)
  expect(leadProblem([1, 9, 17], 17, 40)).toBeUndefined()
})

describe('sources', () => {
  it('give nothing to a take made from text', async () => {
    const { sources } = setUp()
    expect(await sources.given(33)).toBeUndefined()
    expect(sources.givenCount(33)).toBe(0)
  })

  it('give the part of an image that was chosen', async () => {
    const { sources, state } = setUp()
    await sources.useFile(file('cat.png', 'image/png'))
    expect(state()).toMatchObject({
      ...{ task: 'image', busy: { image: false, continue: false }, error: undefined, position: 0.5 },
    })
    sources.store.setState({ position: 0.25 })
    expect(firsts(await sources.given(33))).toEqual([25])
  })

  it('ask for an image or a clip that is missing', async () => {
    const { sources } = setUp()
    sources.setTask('image')
    await expect(sources.given(33)).rejects.toMatchObject({ code: 'no-source' })
    sources.setTask('continue')
    await expect(sources.given(33)).rejects.toMatchObject({ code: 'no-source' })
  })

  it('say what is wrong with a file, and keep the image before it', async () => {
    const { sources, state } = setUp()
    await sources.useImage(new Blob(), 'cat.png')
    await sources.useFile(file('song.mp3', 'audio/mpeg'))
    expect(state()).toMatchObject({ error: '"song.mp3" is not an image', picture: { name: 'cat.png' } })
    await sources.useImage(new Blob(), 'dog.png')
    expect(state()).toMatchObject({ error: undefined, picture: { name: 'dog.png' } })
  })

  it('give the frames before the cut of a video', async () => {
    const { sources, state, closed } = setUp()
    await sources.useFile(file('old.mp4', 'video/mp4'))
    await sources.useFile(file('clip.mp4', 'video/mp4'))
    expect(closed).toEqual(['old.mp4'])
    expect(state()).toMatchObject({ task: 'continue', cut: 40 })
    sources.store.setState({ cut: 30 })
    expect(firsts(await sources.given(33))).toEqual(Array.from({ length: 17 }, (_, i) => 13 + i))
    expect(sources.givenCount(33)).toBe(17)
  })

  it('say in the request that a clip cannot be read', async () => {
    const { sources, state } = setUp()
    await sources.useFile(file('clip.mp4', 'video/mp4'))
    const clip = { ...state().clip!, read: () => Promise.reject(new MediaError('"clip.mp4" is damaged')) }
    sources.store.setState({ clip })
    await expect(sources.given(33)).rejects.toMatchObject({
      code: 'no-source',
      message: '"clip.mp4" is damaged',
    })
  })

  it('start Continue from the shown take, which they hold', async () => {
    const { sources, take, state } = setUp()
    const request = { prompt: 'a', seed: 1, steps: 1, frames: 9 }
    take.setState({
      phase: 'done',
      shown: { request, width: 1, height: 1, fps: 16, frames: 9, complete: true },
    })
    sources.setTask('continue')
    await settle()
    expect(state().clip).toMatchObject({ frames: 9 })
    take.setState({ shown: undefined })
    expect(firsts(await sources.given(17))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('name the clip they hold, follow the shown take on entering, and stay with a video', async () => {
    const { sources, take, state } = setUp()
    const show = (seed: number): void => {
      const request = { prompt: `take ${seed}`, seed, steps: 1, frames: 9 }
      take.setState({
        phase: 'done',
        shown: { request, width: 1, height: 1, fps: 16, frames: 9, complete: true },
      })
    }
    show(1)
    sources.setTask('continue')
    await settle()
    show(2)
    expect(state().clip, 'what was held is gone on from again').toMatchObject({
      ...{ name: '“take 1”', request: { seed: 1 } },
    })
    await sources.given(9)
    sources.setTask('continue')
    await settle()
    expect(state().clip?.request?.seed, 'pressing the open tab is not entering it').toBe(1)
    sources.setTask('text')
    sources.setTask('continue')
    await settle()
    expect(state().clip?.request?.seed).toBe(2)
    await sources.useVideo(new Blob(), 'clip.mp4')
    sources.setTask('text')
    sources.setTask('continue')
    await settle()
    expect(state().clip).toMatchObject({ name: 'clip.mp4' })
  })

  it('hold the shown take when it is asked for, in the place of a video', async () => {
    const { sources, take, state, closed } = setUp()
    await sources.useVideo(new Blob(), 'clip.mp4')
    const request = { prompt: 'a', seed: 5, steps: 1, frames: 9 }
    take.setState({
      phase: 'done',
      shown: { request, width: 1, height: 1, fps: 16, frames: 9, complete: true },
    })
    await sources.useShownTake()
    expect(state()).toMatchObject({ clip: { name: '“a”', request }, cut: 9 })
    expect(closed).toEqual(['clip.mp4'])
  })

  it('hold nothing for a model that could not go on from it', async () => {
    const { sources, take, model, state } = setUp()
    model.setState({ loaded: loaded(4, {}) })
    const request = { prompt: 'a', seed: 1, steps: 1, frames: 9 }
    take.setState({
      phase: 'done',
      shown: { request, width: 1, height: 1, fps: 16, frames: 9, complete: true },
    })
    sources.setTask('continue')
    await settle()
    expect(state()).toMatchObject({ task: 'continue', clip: undefined })
  })

  it('wait for a picture that is being read, unless they are stopped', async () => {
    const { sources, media, picture } = setUp()
    await sources.useImage(new Blob(), 'cat.png')
    let read: (picture: Picture) => void = () => undefined
    media.openPicture = () => new Promise((resolve) => (read = resolve))
    void sources.useImage(new Blob(), 'slow.png')
    const controller = new AbortController()
    const stopped = sources.given(33, controller.signal)
    controller.abort()
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' })
    media.cropPicture = ({ name }) => Uint8ClampedArray.of(name === 'slow.png' ? 1 : 0)
    const given = sources.given(33)
    read(picture('slow.png'))
    expect(firsts(await given)).toEqual([1])
  })

  it('tell that the picture waited for cannot be read', async () => {
    const { sources } = setUp()
    void sources.useImage(new Blob(), 'song.mp3')
    await expect(sources.given(33)).rejects.toMatchObject({ message: '"song.mp3" is not an image' })
  })

  it('wait for the last of several pictures, and keep a clip that is opened meanwhile', async () => {
    const { sources, media, picture, closed, state } = setUp()
    const reads = new Map<string, (picture: Picture) => void>()
    media.openPicture = (_file, name) => new Promise((resolve) => reads.set(name, resolve))
    media.cropPicture = ({ name }) => Uint8ClampedArray.of(name === 'last.png' ? 1 : 0)
    void sources.useImage(new Blob(), 'first.png')
    const given = sources.given(33)
    void sources.useImage(new Blob(), 'last.png')
    await sources.useVideo(new Blob(), 'clip.mp4')
    expect(state()).toMatchObject({ task: 'continue', busy: { image: true, continue: false } })
    reads.get('first.png')!(picture('first.png'))
    reads.get('last.png')!(picture('last.png'))
    expect(firsts(await given)).toEqual([1])
    expect(closed, 'nobody wants it any more').toEqual(['first.png'])
    expect(state().clip).toMatchObject({ name: 'clip.mp4' })
  })

  it('refuse a shown take that another one replaces while it is held', async () => {
    const { sources, take, state } = setUp()
    const request = { prompt: 'a', seed: 1, steps: 1, frames: 9 }
    const shown = { request, width: 1, height: 1, fps: 16, frames: 9, complete: true }
    take.setState({ phase: 'done', shown })
    const held = sources.useShownTake()
    take.setState({ shown: { ...shown, request: { ...request, seed: 2 } } })
    await held
    expect(state()).toMatchObject({
      clip: undefined,
      error: expect.stringMatching(/took its place/) as string,
    })
  })

  it('hand the signal down to a clip that is read', async () => {
    const { sources, state } = setUp()
    await sources.useVideo(new Blob(), 'clip.mp4')
    let seen: AbortSignal | undefined
    const read: Clip['read'] = (_first, _count, signal) => ((seen = signal), Promise.resolve([]))
    sources.store.setState({ clip: { ...state().clip!, read } })
    const { signal } = new AbortController()
    await sources.given(33, signal)
    expect(seen).toBe(signal)
  })

  it('say that a model cannot begin with a picture', async () => {
    const { sources, model } = setUp()
    model.setState({ loaded: loaded(4, {}) })
    sources.setTask('image')
    await expect(sources.given(33)).rejects.toThrow(/Tiny makes clips from text alone.*Models/)
    expect(encoderProblem(loaded(4).manifest)).toBeUndefined()
  })

  it('drop what was scaled for another model', async () => {
    const { sources, model, state, closed } = setUp()
    model.setState({ loaded: loaded(4) })
    await sources.useImage(new Blob(), 'cat.png')
    model.setState({ loaded: undefined })
    model.setState({ loaded: loaded(4) })
    expect(state().picture).toBeDefined()
    model.setState({ loaded: loaded(8) })
    expect(state().picture).toBeUndefined()
    expect(closed).toEqual(['cat.png'])
  })
})
