import { describe, expect, it, vi } from 'vitest'

import { Player } from '../../../src/render/player'
import { isAtEnd, Playback } from '../../../src/store/playback'
import { createTakeStore, type ShownTake, type TakeState } from '../../../src/store/take'
import {
  chunkProgress,
  chunkSpans,
  chunkUnderWay,
  heldSpans,
  stripPictures,
  timelineLength,
} from '../../../src/store/timeline'
import type { PreviewState } from '../../../src/worker/protocol'

const model = {
  transformer: { chunkPlan: { first: 1, rest: 2 } },
  video: { temporalStride: 4 },
} as Parameters<typeof chunkSpans>[1]

const shown = (frames: number, asked: number): ShownTake => ({
  request: { prompt: 'a', steps: 4, seed: 1, frames: asked },
  width: 4,
  height: 4,
  fps: 16,
  frames,
  complete: frames >= asked,
})

describe('chunks on the timeline', () => {
  it('are the frames that were made together', () => {
    expect(chunkSpans(17, model)).toEqual([
      { first: 0, count: 1 },
      { first: 1, count: 8 },
      { first: 9, count: 8 },
    ])
    expect(chunkSpans(0, model)).toEqual([])
    expect(chunkSpans(18, model), 'of another model').toEqual([{ first: 0, count: 18 }])
    expect(chunkSpans(17, undefined)).toEqual([{ first: 0, count: 17 }])
  })

  it('fill as they are made', () => {
    const base = createTakeStore().getState()
    const state: TakeState = {
      ...base,
      phase: 'running',
      shown: shown(9, 17),
      frames: 9,
      progress: { type: 'progress', phase: 'denoise', chunk: 3, chunks: 3, step: 3, steps: 4, fraction: 0.8 },
    }
    expect(chunkSpans(17, model).map((span, i) => chunkProgress(span, i, state))).toEqual([1, 1, 0.5])
    const next: TakeState = { ...state, shown: shown(17, 17), frames: 0 }
    expect(chunkProgress({ first: 17, count: 8 }, 2, next), 'the take before is still shown').toBe(0)
  })

  it('is as long as what was asked for while that may come', () => {
    const request = shown(9, 17).request
    expect(timelineLength({ shown: shown(9, 17), phase: 'running', request })).toBe(17)
    expect(timelineLength({ shown: shown(17, 17), phase: 'done', request })).toBe(17)
    expect(timelineLength({ shown: shown(9, Infinity), phase: 'running', request })).toBe(9)
    expect(timelineLength({ shown: undefined, phase: 'idle', request: undefined })).toBe(0)
  })

  it('has the places of the first take before its first frame', () => {
    const base = createTakeStore().getState()
    const state: TakeState = {
      ...base,
      phase: 'running',
      request: shown(0, 17).request,
      progress: { type: 'progress', phase: 'denoise', chunk: 1, chunks: 3, step: 3, steps: 4, fraction: 0.2 },
    }
    expect(timelineLength(state)).toBe(17)
    expect(chunkSpans(17, model).map((span, i) => chunkProgress(span, i, state))).toEqual([0.5, 0, 0])
    expect(chunkUnderWay(state, model)).toEqual({
      left: '0.000%',
      right: '94.118%',
    })
    const endless = { ...state.request!, endless: true }
    expect(timelineLength({ ...state, request: endless }), 'it has no length').toBe(0)
  })

  it('keeps the chunks apart of which the oldest frames are gone', () => {
    expect(heldSpans(17, 0, model)).toEqual(chunkSpans(17, model))
    // Of 1 + 8 + 8 + 8 the first twelve are gone: five of the third chunk are held, and the fourth.
    expect(heldSpans(13, 12, model)).toEqual([
      { first: 0, count: 5 },
      { first: 5, count: 8 },
    ])
    // The newest chunk is not whole yet.
    expect(heldSpans(8, 12, model)).toEqual([
      { first: 0, count: 5 },
      { first: 5, count: 3 },
    ])
  })
})

describe('pictures on the strip', () => {
  it('are as many as fit in their shape', () => {
    expect(stripPictures(900, 1, 33)).toBe(14)
    expect(stripPictures(900, 16 / 9, 33)).toBe(8)
    expect(stripPictures(300, 1, 33)).toBe(5)
  })
  it('never show a frame twice, and there is always one', () => {
    expect(stripPictures(2200, 1, 17)).toBe(17)
    expect(stripPictures(0, 1, 33)).toBe(1)
    expect(stripPictures(900, 1, 0)).toBe(1)
  })
})

describe('Player', () => {
  it('plays faster, slower and backwards', () => {
    const player = new Player()
    player.reset(10, 0)
    player.setCount(10, 0)
    player.setMode(true, 2, 0)
    expect([0, 50, 100, 499, 500].map((now) => player.frameAt(now))).toEqual([0, 1, 2, 9, 0])
    player.setMode(true, -1, 300)
    expect([300, 400, 900, 1000].map((now) => player.frameAt(now))).toEqual([6, 5, 0, 9])
    player.setMode(true, 0.5, 1000)
    expect([1000, 1199, 1200].map((now) => player.frameAt(now))).toEqual([9, 9, 0])
  })

  it('stays at the end without a loop, and goes on when more comes', () => {
    const player = new Player()
    player.setMode(false, 1, 0)
    player.reset(10, 0)
    player.setCount(3, 0)
    expect([0, 250, 5000].map((now) => player.frameAt(now))).toEqual([0, 2, 2])
    player.setCount(6, 5000)
    expect(player.frameAt(5000)).toBe(2)
    expect(player.frameAt(5100)).toBe(3)
    player.setMode(false, -1, 5100)
    expect(player.frameAt(9000)).toBe(0)
  })
})

describe('Playback', () => {
  function setUp(frame = 3, playing = true, stored: string | null = null) {
    const take = createTakeStore()
    let preview: PreviewState = { frame, count: 9, playing }
    const set = (change: Partial<PreviewState>) => Promise.resolve((preview = { ...preview, ...change }))
    const generator = {
      play: vi.fn(() => set({ playing: true })),
      pause: vi.fn(() => set({ playing: false })),
      seek: vi.fn((to: number) => set({ frame: to, playing: false })),
      setPlayback: vi.fn(() => set({})),
    }
    take.setState({ phase: 'done', shown: shown(9, 9), preview })
    const local = { getItem: () => stored, setItem: vi.fn() }
    return { playback: new Playback(generator, take, local), generator, take, local }
  }

  it('steps within what there is', async () => {
    const { playback, generator } = setUp(7)
    for (let i = 0; i < 3; i++) await playback.step(1)
    await playback.step(-Infinity)
    expect(generator.seek.mock.calls.flat()).toEqual([8, 8, 8, 0])
  })

  it('counts from where the last seek goes, though it is not there yet', async () => {
    const { playback, take } = setUp(2)
    const seeks = [playback.step(1), playback.step(1)]
    expect(playback.store.getState().target).toBe(4)
    await Promise.all(seeks)
    expect(playback.store.getState().target).toBeUndefined()
    expect(take.getState().preview.frame).toBe(4)
  })

  it('shuttles both ways, faster each time, and space goes forwards again', async () => {
    const { playback } = setUp()
    const rates: number[] = []
    playback.store.subscribe(({ rate }) => rates.push(rate))
    for (const direction of [1, 1, 1, -1, -1] as const) await playback.shuttle(direction)
    await playback.toggle()
    await playback.toggle()
    expect(rates).toEqual([2, 4, 4, -1, -2, 1])
  })

  it('pauses after J though the answer to J has not come yet', async () => {
    const { playback, generator, take } = setUp()
    await Promise.all([playback.shuttle(-1), playback.pause()])
    expect(generator.play.mock.invocationCallOrder[0]).toBeLessThan(
      generator.pause.mock.invocationCallOrder[0]!,
    )
    expect(take.getState().preview.playing).toBe(false)
  })

  it('plays forwards again when a take begins', async () => {
    const { playback, take } = setUp()
    await playback.shuttle(-1)
    take.setState({ phase: 'running' })
    expect(playback.store.getState().rate).toBe(1)
  })

  it('starts again from the end of a clip that does not loop', async () => {
    const { playback, generator, take } = setUp(8)
    expect(isAtEnd(playback.store.getState(), take.getState())).toBe(false)
    await playback.setLoop(false)
    expect(isAtEnd(playback.store.getState(), take.getState())).toBe(true)
    await playback.toggle()
    expect(generator.seek).toHaveBeenCalledExactlyOnceWith(0)
    expect(generator.play).toHaveBeenCalledOnce()
  })

  it('remembers the loop and the measurements', () => {
    const { playback, generator, local } = setUp(0, true, '{"loop":false,"hud":true}')
    expect(playback.store.getState()).toMatchObject({ loop: false, hud: true, rate: 1 })
    expect(generator.setPlayback).toHaveBeenCalledExactlyOnceWith({ loop: false, rate: 1 })
    playback.toggleHud()
    expect(local.setItem).toHaveBeenLastCalledWith('anyflow.playback', '{"loop":false,"hud":false}')
  })
})
