import 'fake-indexeddb/auto'

import { beforeEach, describe, expect, it, vi } from 'vitest'

import { StorageError } from '../../../src/errors'
import { GalleryDatabase } from '../../../src/gallery/database'
import { galleryHandlers } from '../../../src/gallery/service'
import { call } from './calls'
import { testFrames, testHead } from './clips'

let names = 0
let db: GalleryDatabase

beforeEach(async () => {
  db = await GalleryDatabase.open(`test-${names++}`)
})

const open = () => galleryHandlers(Promise.resolve(db))

describe('the gallery', () => {
  it('keeps chunks as they come, and gives them back in order after a restart', async () => {
    const frames = testFrames(5, 6, 4)
    const gallery = open()
    const head = testHead('one')
    await call(gallery, 'add', { head, first: 0, frames: frames.slice(0, 1) })
    expect(await call(gallery, 'add', { head, first: 1, frames: frames.slice(1, 3) })).toMatchObject({
      frames: 3,
      state: 'making',
    })
    // The tab is killed here: what came so far is there.
    const again = open()
    expect(await call(again, 'list', {})).toMatchObject([{ id: 'one', frames: 3, state: 'making' }])
    await call(again, 'add', { head, first: 3, frames: frames.slice(3) })
    await call(again, 'finish', { id: 'one', state: 'done', timings: { totalMs: 5 } })
    expect(await call(again, 'list', {})).toMatchObject([
      { frames: 5, state: 'done', timings: { totalMs: 5 } },
    ])
    expect((await call(again, 'clip', { id: 'one' })).frames).toEqual(frames)
  })

  it('lets the oldest chunks of a take without an end go, on the disk and in its file', async () => {
    const frames = testFrames(9, 6, 4)
    const gallery = open()
    const request = { ...testHead('one').request, endless: true, prompts: [{ chunk: 2, prompt: 'a cube' }] }
    const head = { ...testHead('one'), request }
    const add = (first: number, from: number, count = 3) =>
      call(gallery, 'add', { head, first, frames: frames.slice(first, first + count), from })
    const full = await add(0, 0)
    await add(3, 2)
    expect(await db.chunks('one'), 'one that ends later stays whole').toHaveLength(2)
    const record = (await add(6, 5))!
    expect(record).toMatchObject({ first: 3, frames: 6 })
    expect(record.bytes).toBe((await db.chunks('one')).reduce((sum, { data }) => sum + data.length, 0))
    expect(record.bytes).toBeLessThan(3 * full!.bytes)
    expect((await add(6, 5))?.frames, 'made again').toBe(6)
    await call(gallery, 'finish', { id: 'one', state: 'stopped', timings: undefined })
    const file = await call(gallery, 'exportFile', { id: 'one' })
    const other = galleryHandlers(GalleryDatabase.open(`other-${names++}`))
    expect(await call(other, 'importFile', { file })).toMatchObject({ first: 3, frames: 6, request })
    expect((await call(other, 'clip', { id: 'one' })).frames).toEqual(frames.slice(3))
  })

  it('lists the newest first, and leaves hidden takes out until they are swept', async () => {
    const gallery = open()
    for (const [id, made] of [
      ['old', 1],
      ['new', 3],
      ['mid', 2],
    ] as const) {
      await call(gallery, 'add', { head: testHead(id, { made }), first: 0, frames: testFrames(1, 6, 4) })
    }
    const ids = async () => (await call(gallery, 'list', {})).map(({ id }) => id)
    expect(await ids()).toEqual(['new', 'mid', 'old'])
    await call(gallery, 'hide', { id: 'mid', hidden: true })
    expect(await ids()).toEqual(['new', 'old'])
    await call(gallery, 'hide', { id: 'mid', hidden: false })
    expect(await ids()).toEqual(['new', 'mid', 'old'])
    await call(gallery, 'hide', { id: 'new', hidden: true })
    await db.sweep(0)
    expect(await db.get('new')).toBeUndefined()
    expect(await db.chunks('new')).toEqual([])
    expect(await ids()).toEqual(['mid', 'old'])
  })

  it('gives pictures evenly spread over a take, whatever its chunks', async () => {
    const frames = testFrames(5, 6, 4)
    const gallery = open()
    await call(gallery, 'add', { head: testHead('one'), first: 0, frames: frames.slice(0, 1) })
    await call(gallery, 'add', { head: testHead('one'), first: 1, frames: frames.slice(1) })
    class Image {
      constructor(readonly rgba: Uint8ClampedArray) {}
    }
    vi.stubGlobal('ImageData', Image)
    vi.stubGlobal('createImageBitmap', (image: Image) => Promise.resolve(image.rgba))
    const pictures = (count: number) => call(gallery, 'thumbnails', { id: 'one', width: 192, count })
    expect(await pictures(3)).toEqual([frames[0], frames[1], frames[3]])
    expect(await pictures(24)).toEqual(frames)
    vi.unstubAllGlobals()
  })

  it('writes a take to a file and reads it, without loss, on another machine', async () => {
    const frames = testFrames(5, 6, 4)
    const gallery = open()
    await call(gallery, 'add', { head: testHead('one'), first: 0, frames: frames.slice(0, 2) })
    await call(gallery, 'add', { head: testHead('one'), first: 2, frames: frames.slice(2) })
    await call(gallery, 'finish', { id: 'one', state: 'stopped', timings: { totalMs: 5, passMs: 2 } })
    const file = await call(gallery, 'exportFile', { id: 'one' })
    const other = galleryHandlers(GalleryDatabase.open(`other-${names++}`))
    await call(other, 'importFile', { file })
    await call(other, 'importFile', { file })
    const [record, ...rest] = await call(other, 'list', {})
    expect(rest, 'the same take twice is one take').toEqual([])
    expect(record).toMatchObject({ ...testHead('one'), state: 'stopped', frames: 5, timings: { passMs: 2 } })
    expect((await call(other, 'clip', { id: 'one' })).frames).toEqual(frames)
  })

  it('brings back a deleted take when its file is read again', async () => {
    const gallery = open()
    await call(gallery, 'add', { head: testHead('one'), first: 0, frames: testFrames(1, 6, 4) })
    const file = await call(gallery, 'exportFile', { id: 'one' })
    await call(gallery, 'hide', { id: 'one', hidden: true })
    await call(gallery, 'importFile', { file })
    expect(await call(gallery, 'list', {})).toHaveLength(1)
  })

  it.each([
    [
      'another kind of file',
      (bytes: Uint8Array) => bytes.map((byte, i) => (i === 3 ? byte ^ 1 : byte)),
      /not one/,
    ],
    ['one that is cut short', (bytes: Uint8Array) => bytes.slice(0, -3), /cut short/],
    [
      'damaged frames',
      (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length - 9 ? byte ^ 1 : byte)),
      /SHA/,
    ],
    ['a damaged header', (bytes: Uint8Array) => bytes.map((byte, i) => (i === 17 ? 0 : byte)), /header/],
  ])('refuses %s, and keeps nothing of it', async (_name, damage, message) => {
    const gallery = open()
    await call(gallery, 'add', { head: testHead('one'), first: 0, frames: testFrames(2, 6, 4) })
    const file = await call(gallery, 'exportFile', { id: 'one' })
    const bytes = damage(new Uint8Array(await file.arrayBuffer()))
    const other = galleryHandlers(GalleryDatabase.open(`other-${names++}`))
    const reading = call(other, 'importFile', { file: new Blob([bytes]) })
    await expect(reading).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringMatching(message) as string,
    })
    expect(await call(other, 'list', {})).toEqual([])
  })

  it('holds no more of a take without an end than is wanted, while the disk is full', async () => {
    const frames = testFrames(6, 6, 4)
    const gallery = open()
    const head = testHead('one', { request: { ...testHead('one').request, endless: true } })
    const add = (first: number, from: number) =>
      call(gallery, 'add', { head, first, frames: [frames[first]!], from })
    await add(0, 0)
    const full = vi
      .spyOn(db, 'addChunk')
      .mockRejectedValue(new StorageError('storage-full', "The browser's storage for this page is full."))
    for (const first of [1, 2, 3, 4, 5])
      await expect(add(first, first - 1)).rejects.toMatchObject({ code: 'storage-full' })
    full.mockRestore()
    expect(await call(gallery, 'retry', {})).toMatchObject({ count: 0 })
    expect((await db.chunks('one')).map(({ first }) => first)).toEqual([4, 5])
    expect(await call(gallery, 'list', {})).toMatchObject([{ first: 4, frames: 2 }])
  })

  it('holds what a full disk refuses, and writes it when there is room', async () => {
    const frames = testFrames(3, 6, 4)
    const gallery = open()
    const head = testHead('one')
    await call(gallery, 'add', { head, first: 0, frames: frames.slice(0, 1) })
    const full = vi
      .spyOn(db, 'addChunk')
      .mockRejectedValue(new StorageError('storage-full', "The browser's storage for this page is full."))
    for (const first of [1, 2]) {
      await expect(call(gallery, 'add', { head, first, frames: [frames[first]!] })).rejects.toMatchObject({
        code: 'storage-full',
      })
    }
    const finish = call(gallery, 'finish', { id: 'one', state: 'done', timings: undefined })
    await expect(finish).rejects.toMatchObject({ code: 'storage-full' })
    expect(await call(gallery, 'list', {}), 'not whole yet').toMatchObject([{ state: 'making' }])
    expect(await call(gallery, 'retry', {})).toMatchObject({ count: 1 })
    full.mockRestore()
    expect(await call(gallery, 'retry', {})).toMatchObject({ count: 0 })
    expect(await call(gallery, 'list', {})).toMatchObject([{ frames: 3, state: 'done' }])
    expect((await call(gallery, 'clip', { id: 'one' })).frames).toEqual(frames)
  })
})

describe('a browser without storage', () => {
  it('says so', async () => {
    const broken = vi.spyOn(indexedDB, 'open').mockImplementation(() => {
      throw new DOMException('no', 'SecurityError')
    })
    await expect(GalleryDatabase.open('none')).rejects.toMatchObject({ code: 'storage-failed' })
    broken.mockRestore()
  })
})
