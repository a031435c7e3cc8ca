import 'fake-indexeddb/auto'

import { beforeEach, describe, expect, it, vi } from 'vitest'

import { StorageError } from '../../../src/errors'
import { GalleryDatabase } from '../../../src/gallery/database'
import { galleryHandlers } from '../../../src/gallery/service'
import { TakeWriter } from '../../../src/gallery/take-writer'
import { Unsaved } from '../../../src/gallery/unsaved'
import { call } from './calls'
import { testFrames, testHead } from './clips'

const FRAMES = testFrames(6, 6, 4)

let names = 0
let db: GalleryDatabase

beforeEach(async () => {
  db = await GalleryDatabase.open(`writer-${names++}`)
})

function setUp(unsaved?: Unsaved) {
  const opening = Promise.resolve(db)
  const gallery = galleryHandlers(opening, new TakeWriter(opening, unsaved))
  const add = (id: string, first: number, count = 1) =>
    call(gallery, 'add', { head: testHead(id), first, frames: FRAMES.slice(first, first + count) })
  const fill = () =>
    vi
      .spyOn(db, 'addChunk')
      .mockRejectedValue(new StorageError('storage-full', "The browser's storage for this page is full."))
  const firsts = async (id: string) => (await db.chunks(id)).map(({ first }) => first)
  return { gallery, add, fill, firsts }
}

describe('a take that is deleted while it is made', () => {
  it('comes back whole, for it went on being kept', async () => {
    const { gallery, add } = setUp()
    await add('one', 0)
    await call(gallery, 'hide', { id: 'one', hidden: true })
    await add('one', 1, 2)
    await call(gallery, 'finish', { id: 'one', state: 'done', timings: undefined })
    expect(await call(gallery, 'list', {})).toEqual([])
    expect(await call(gallery, 'hide', { id: 'one', hidden: false })).toMatchObject({
      frames: 3,
      state: 'done',
    })
    expect((await call(gallery, 'clip', { id: 'one' })).frames).toEqual(FRAMES.slice(0, 3))
  })

  it('stays removed: what is still to come of it is not kept', async () => {
    const { gallery, add, firsts } = setUp()
    await add('one', 0)
    await call(gallery, 'remove', { id: 'one' })
    expect(await add('one', 1)).toBeUndefined()
    expect(await call(gallery, 'truncate', { head: testHead('one'), first: 1 })).toBeUndefined()
    const end = { id: 'one', state: 'done', timings: undefined } as const
    expect(await call(gallery, 'finish', end)).toBeUndefined()
    expect(await call(gallery, 'list', {})).toEqual([])
    expect(await firsts('one')).toEqual([])
  })

  it('stays removed when its frames were on their way, or waited for room', async () => {
    const { gallery, add, fill, firsts } = setUp()
    await add('one', 0)
    const onTheWay = add('one', 1)
    await call(gallery, 'remove', { id: 'one' })
    await onTheWay
    expect(await db.get('one')).toBeUndefined()

    await add('two', 0)
    const full = fill()
    await expect(add('two', 1)).rejects.toMatchObject({ code: 'storage-full' })
    full.mockRestore()
    await call(gallery, 'remove', { id: 'two' })
    expect(await call(gallery, 'retry', {})).toMatchObject({ count: 0 })
    expect(await db.get('two')).toBeUndefined()
    expect(await firsts('two')).toEqual([])
  })

  it('stays removed when it was another tab that removed it', async () => {
    const { add, firsts } = setUp()
    await add('one', 0)
    await db.remove('one')
    expect(await add('one', 1)).toBeUndefined()
    expect(await add('one', 2)).toBeUndefined()
    expect(await db.get('one')).toBeUndefined()
    expect(await firsts('one')).toEqual([])
  })
})

describe('a chunk that is made again', () => {
  it('takes the frames away that it had', async () => {
    const { gallery, add } = setUp()
    const whole = await add('one', 0, 2)
    await add('one', 2)
    await add('one', 3)
    const head = testHead('one', {
      request: { ...testHead('one').request, chunkSeeds: [{ chunk: 2, seed: 9 }] },
    })
    const cut = await call(gallery, 'truncate', { head, first: 2 })
    expect(cut).toMatchObject({ frames: 2, bytes: whole!.bytes, request: head.request })
    // Stopped before the chunk is whole again.
    await add('one', 2)
    await call(gallery, 'finish', { id: 'one', state: 'stopped', timings: undefined })
    expect(await call(gallery, 'list', {})).toMatchObject([{ frames: 3, state: 'stopped' }])
    expect((await call(gallery, 'clip', { id: 'one' })).frames).toEqual(FRAMES.slice(0, 3))
  })

  it('is cut in its turn, after what is still being packed', async () => {
    const { gallery, add, firsts } = setUp()
    const adding = [add('one', 0), add('one', 1), add('one', 2)]
    await call(gallery, 'truncate', { head: testHead('one'), first: 1 })
    await Promise.all(adding)
    expect(await firsts('one')).toEqual([0])
  })

  it('is cut of what waits for room, too', async () => {
    const { gallery, add, fill, firsts } = setUp()
    await add('one', 0)
    const full = fill()
    for (const first of [1, 2]) await expect(add('one', first)).rejects.toThrow()
    const cut = call(gallery, 'truncate', { head: testHead('one'), first: 2 })
    await expect(cut).rejects.toMatchObject({ code: 'storage-full' })
    full.mockRestore()
    await call(gallery, 'retry', {})
    expect(await firsts('one')).toEqual([0, 1])
    expect(await db.get('one')).toMatchObject({ frames: 2 })
  })
})

describe('a full disk', () => {
  it('gets what waits with the next chunk that it takes', async () => {
    const { gallery, add, fill, firsts } = setUp()
    await add('one', 0)
    const full = fill()
    await expect(add('one', 1)).rejects.toThrow()
    expect(await call(gallery, 'waiting', {})).toEqual({ count: 1, dropped: [] })
    full.mockRestore()
    expect(await add('one', 2)).toMatchObject({ frames: 3 })
    expect(await firsts('one')).toEqual([0, 1, 2])
    expect(await call(gallery, 'waiting', {})).toEqual({ count: 0, dropped: [] })
  })

  it('notes the end of a take later, when it refuses that', async () => {
    const { gallery, add } = setUp()
    await add('one', 0)
    const full = vi
      .spyOn(db, 'update')
      .mockRejectedValue(new StorageError('storage-full', "The browser's storage for this page is full."))
    const finish = call(gallery, 'finish', { id: 'one', state: 'done', timings: { totalMs: 5 } })
    await expect(finish).rejects.toMatchObject({ code: 'storage-full' })
    full.mockRestore()
    expect(await call(gallery, 'retry', {})).toMatchObject({ count: 0 })
    expect(await db.get('one')).toMatchObject({ state: 'done', timings: { totalMs: 5 } })
  })

  it('says which takes are given up when too much waits, until nothing does', async () => {
    const { gallery, add, fill, firsts } = setUp(new Unsaved(1))
    const full = fill()
    for (const id of ['one', 'two', 'three']) await expect(add(id, 0)).rejects.toThrow()
    expect(await call(gallery, 'waiting', {})).toEqual({ count: 1, dropped: ['a ball', 'a ball'] })
    full.mockRestore()
    expect(await call(gallery, 'retry', {})).toEqual({ count: 0, dropped: [] })
    expect(await firsts('three')).toEqual([0])
  })
})

describe('what was deleted', () => {
  it('is swept once it has been for a while: another tab may still bring it back', async () => {
    const { gallery, add } = setUp()
    await add('one', 0)
    await call(gallery, 'hide', { id: 'one', hidden: true })
    await db.sweep()
    expect(await call(gallery, 'hide', { id: 'one', hidden: false })).toMatchObject({ frames: 1 })
    await call(gallery, 'hide', { id: 'one', hidden: true })
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_001)
    await db.sweep()
    vi.restoreAllMocks()
    expect(await call(gallery, 'hide', { id: 'one', hidden: false })).toBeUndefined()
  })
})
