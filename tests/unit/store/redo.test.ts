import { describe, expect, it } from 'vitest'

import { withChunkSeed } from '../../../src/flowmap/seeds'
import { promptMarks, seedMarks } from '../../../src/store/marks'
import { redoableChunk } from '../../../src/store/redo'
import { beginTake, createTakeStore, reduceTake, type TakeState } from '../../../src/store/take'
import { formatLink, parseLink } from '../../../src/store/url'
import { createRequestStore, typeSeed } from '../../../src/store/request'
import { readNote, writeNote } from '../../../src/store/file-note'

/** Chunks of 1, 8, 8, ... pixel frames. */
const model = {
  video: { temporalStride: 4 },
  transformer: { chunkPlan: { first: 1, rest: 2 } },
} as Parameters<typeof redoableChunk>[1]

const request = { prompt: 'a ball', steps: 1, seed: 7, frames: 33 }

function shown(change: Partial<NonNullable<TakeState['shown']>>, phase: TakeState['phase']): TakeState {
  const frames = { request, width: 4, height: 4, fps: 16, frames: 33, complete: true, ...change }
  return { ...createTakeStore().getState(), phase, request: frames.request, shown: frames }
}

describe('which chunk can be made again', () => {
  it('is the last whole one of a take that is over', () => {
    expect(redoableChunk(shown({}, 'done'), model)).toBe(5)
    // Stopped in the middle of the fourth chunk.
    expect(redoableChunk(shown({ frames: 21, complete: false }, 'done'), model)).toBe(3)
    expect(redoableChunk(shown({ frames: 1 }, 'done'), model)).toBeUndefined()
    expect(redoableChunk(shown({}, 'running'), model)).toBeUndefined()
    expect(redoableChunk(shown({ playOnly: true }, 'done'), model)).toBeUndefined()
    const given = [new Uint8ClampedArray(4)]
    expect(redoableChunk(shown({ frames: 9, request: { ...request, given } }, 'done'), model)).toBe(2)
    const nine = Array.from({ length: 9 }, () => new Uint8ClampedArray(4))
    expect(
      redoableChunk(shown({ frames: 9, request: { ...request, given: nine } }, 'done'), model),
    ).toBeUndefined()
  })

  it('is the newest of a take without an end while it runs, and not twice in a row', () => {
    const endless = { ...request, endless: true }
    const running = shown({ request: endless, frames: 80, dropped: 17 }, 'running')
    expect(redoableChunk(running, model)).toBe(13)
    expect(redoableChunk({ ...running, redoing: true }, model)).toBeUndefined()
    expect(redoableChunk({ ...running, phase: 'done' }, model)).toBeUndefined()
  })
})

describe('a chunk that is made again', () => {
  it('takes its frames back, says its seed, and leaves the rest', () => {
    const endless = { ...request, endless: true }
    const before = { ...shown({ request: endless, frames: 80, dropped: 17 }, 'running'), frames: 97 }
    const video = { width: 4, height: 4, fps: 16, chunks: 0 }
    const after = reduceTake({ ...before, video }, { type: 'undone', chunk: 13, seed: 5, first: 89 })
    expect(after).toMatchObject({ frames: 89, redoing: true })
    expect(after.shown).toMatchObject({ frames: 72, dropped: 17 })
    expect(after.shown!.request.chunkSeeds).toEqual([{ chunk: 13, seed: 5 }])
    expect(after.request).toBe(after.shown!.request)
    const more = reduceTake(after, { type: 'frames', first: 89, count: 4 })
    expect(more.shown).toMatchObject({ frames: 76, dropped: 17 })
    expect(reduceTake(more, { type: 'timing', timings: { totalMs: 1 } }).redoing).toBe(false)
  })

  it('is marked where it begins, as long as it is held', () => {
    const seeds = [
      { chunk: 2, seed: 8 },
      { chunk: 4, seed: 9 },
    ]
    const { shown: whole } = shown({ request: { ...request, chunkSeeds: seeds } }, 'done')
    expect(seedMarks(whole, 33, model)).toEqual([
      { chunk: 2, seed: 8, left: `${(100 / 33).toFixed(3)}%` },
      { chunk: 4, seed: 9, left: `${(1700 / 33).toFixed(3)}%` },
    ])
    const later = { ...whole!, dropped: 8, frames: 25 }
    expect(seedMarks(later, 25, model)).toEqual([{ chunk: 4, seed: 9, left: '36.000%' }])
    expect(seedMarks(shown({}, 'done').shown, 33, model)).toEqual([])
  })

  it('keeps the marks of edited prompts beside it, which a new take does not inherit', () => {
    const endless = { ...request, endless: true }
    const video = { width: 4, height: 4, fps: 16, chunks: 0 }
    const before = { ...shown({ request: endless, frames: 9 }, 'running'), frames: 9, video }
    const told = reduceTake(before, { type: 'prompted', chunk: 3, prompt: 'a cube' })
    const after = reduceTake(told, { type: 'frames', first: 9, count: 8 })
    expect(promptMarks(after.shown, 17, model)).toEqual([
      { chunk: 3, prompt: 'a cube', left: `${(900 / 17).toFixed(3)}%` },
    ])
    const next = beginTake(after, request)
    expect(next.prompts).toEqual([])
    expect(next.shown?.prompts).toHaveLength(1)
  })

  it('has one seed, the last', () => {
    const once = withChunkSeed(undefined, { chunk: 4, seed: 1 })
    const twice = withChunkSeed(withChunkSeed(once, { chunk: 2, seed: 3 }), { chunk: 4, seed: 2 })
    expect(twice).toEqual([
      { chunk: 2, seed: 3 },
      { chunk: 4, seed: 2 },
    ])
  })
})

describe('seeds of chunks', () => {
  const chunkSeeds = [
    { chunk: 2, seed: 77 },
    { chunk: 5, seed: 3 },
  ]

  it('are part of a link, and of the note in a file', () => {
    const search = formatLink('', { prompt: 'a ball', seed: 7, chunkSeeds })
    expect(new URLSearchParams(search).get('redo')).toBe('2:77,5:3')
    expect(parseLink(search)).toMatchObject({ request: { seed: 7, chunkSeeds }, problems: [] })
    const bad = parseLink('?redo=0:4')
    expect(bad.request.chunkSeeds).toBeUndefined()
    expect(bad.problems[0]).toContain('redo "0:4"')
    const note = writeNote({ ...request, chunkSeeds }, { id: 'm', name: 'M' })
    expect(readNote(note)?.settings).toMatchObject({ seed: 7, chunkSeeds })
  })

  it('belong to the seed they came with', () => {
    const store = createRequestStore({ seed: 7, chunkSeeds }, [], true)
    expect(store.getState().chunkSeeds).toEqual(chunkSeeds)
    typeSeed(store, '8')
    expect(store.getState().chunkSeeds).toBeUndefined()
    expect(createRequestStore({ chunkSeeds }, [], true).getState().chunkSeeds).toBeUndefined()
  })
})
