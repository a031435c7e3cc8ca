/** The gallery when the disk is full, and when takes are deleted that are still being made. */

import { describe, expect, it } from 'vitest'

import type { TakeRecord } from '../../../src/gallery/records'
import { waitingMessage } from '../../../src/store/gallery-messages'
import { testHead } from '../gallery/clips'
import { full, nothing, record, setUpGallery } from './fake-gallery'
import { settle } from './fake-generator'

const head = testHead('new')
const grown = (frames: number, change: Partial<TakeRecord> = {}): TakeRecord => ({
  ...record('new', 9),
  frames,
  state: 'making',
  ...change,
})

describe('deleting a take that is being made', () => {
  it('leaves it deleted while its frames come, and brings all of it back', async () => {
    const { gallery, storage, ids } = setUpGallery([record('a', 1)])
    await gallery.load()
    storage.add.mockResolvedValueOnce(grown(1))
    await gallery.keep(head, 0, [])
    await gallery.remove('new')
    storage.add.mockResolvedValueOnce(grown(3, { hidden: true }))
    await gallery.keep(head, 1, [])
    storage.finish.mockResolvedValueOnce(grown(3, { hidden: true, state: 'done' }))
    await gallery.finish(head, 'done', undefined)
    expect(ids(), 'no card').toEqual(['a'])
    expect(gallery.store.getState().deleted).toMatchObject({ id: 'new', frames: 3, state: 'done' })
    storage.hide.mockResolvedValueOnce(grown(3, { state: 'done' }))
    await gallery.undo()
    expect(ids()).toEqual(['new', 'a'])
    expect(gallery.find('new')).toMatchObject({ frames: 3, state: 'done' })
  })

  it('ends with its removal, whatever comes after', async () => {
    const { gallery, storage, ids } = setUpGallery()
    await gallery.load()
    await gallery.keep(head, 0, [])
    await gallery.remove('new')
    let answer: (record: TakeRecord) => void = () => undefined
    storage.add.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)))
    const onTheWay = gallery.keep(head, 1, [])
    await gallery.settle()
    answer(grown(2, { hidden: true }))
    await onTheWay
    await gallery.keep(head, 2, [])
    await gallery.truncate(head, 2)
    await gallery.finish(head, 'done', undefined)
    expect(ids()).toEqual([])
    expect(storage.add).toHaveBeenCalledTimes(2)
    expect(storage.truncate).not.toHaveBeenCalled()
    expect(storage.finish).not.toHaveBeenCalled()
  })

  it('in another tab takes its card away here', async () => {
    const { gallery, storage, ids } = setUpGallery()
    await gallery.load()
    await gallery.keep(head, 0, [])
    storage.add.mockResolvedValueOnce(undefined)
    await gallery.keep(head, 1, [])
    expect(ids()).toEqual([])
  })
})

describe('undo', () => {
  it('says so when another tab has removed the take for good', async () => {
    const { gallery, storage, ids } = setUpGallery([record('a', 1)])
    await gallery.load()
    await gallery.remove('a')
    storage.hide.mockResolvedValueOnce(undefined)
    await gallery.undo()
    expect(ids(), 'no ghost').toEqual([])
    expect(gallery.store.getState()).toMatchObject({
      deleted: undefined,
      problem: expect.stringMatching(/"prompt a" cannot be brought back.*another tab/) as string,
    })
  })

  it('can be pressed again when the storage fails', async () => {
    const { gallery, storage, ids } = setUpGallery([record('a', 1)])
    await gallery.load()
    await gallery.remove('a')
    storage.hide.mockRejectedValueOnce(full())
    await gallery.undo()
    expect(gallery.store.getState().problem).toMatch(/full.*Delete takes.*try again/)
    expect(gallery.store.getState().deleted?.id).toBe('a')
    await gallery.undo()
    expect(ids()).toEqual(['a'])
  })

  it('is not overtaken by the end of its time', async () => {
    const { gallery, storage, ids } = setUpGallery([record('a', 1)])
    await gallery.load()
    await gallery.remove('a')
    await Promise.all([gallery.undo(), gallery.settle('a')])
    expect(storage.remove).not.toHaveBeenCalled()
    expect(ids()).toEqual(['a'])
  })
})

describe('a full disk', () => {
  it('is tried again when a model was deleted', async () => {
    const { gallery, storage, ids } = setUpGallery()
    await gallery.load()
    await gallery.roomChanged()
    expect(storage.retry, 'nothing waits').not.toHaveBeenCalled()
    storage.add.mockRejectedValueOnce(full())
    await gallery.keep(head, 0, [])
    expect(waitingMessage(gallery.store.getState())).toMatch(/Delete a model.*One take waits in this tab/)
    storage.list.mockResolvedValue([record('new', 9)])
    await gallery.roomChanged()
    expect(ids()).toEqual(['new'])
    expect(waitingMessage(gallery.store.getState())).toBeUndefined()
  })

  it('is tried again when it takes another chunk, or a file', async () => {
    const { gallery, storage } = setUpGallery()
    await gallery.load()
    const waits = { count: 1, dropped: [] }
    storage.add.mockRejectedValueOnce(full())
    await gallery.keep(testHead('old'), 0, [])
    storage.retry.mockResolvedValueOnce(waits)
    await gallery.keep(head, 0, [])
    expect(storage.retry).toHaveBeenCalledTimes(1)
    expect(gallery.store.getState().waiting).toEqual(waits)
    await gallery.importFile(new Blob())
    expect(storage.retry).toHaveBeenCalledTimes(2)
    expect(gallery.store.getState().waiting).toEqual(nothing)
  })

  it('is told of as long as something waits, whatever else happens, with what was given up', async () => {
    const { gallery, storage } = setUpGallery([record('a', 1)])
    await gallery.load()
    storage.add.mockRejectedValue(full())
    await gallery.keep(head, 0, [])
    storage.waiting.mockResolvedValue({ count: 2, dropped: ['a ball'] })
    await gallery.keep(testHead('next'), 0, [])
    storage.clip.mockRejectedValueOnce(new Error('The frames are damaged.'))
    await gallery.open('a')
    gallery.dismissProblem()
    expect(waitingMessage(gallery.store.getState())).toMatch(
      /full \(5\.0 MB of 10\.0 MB used\).*2 takes wait in this tab.*"a ball" had to be given up/,
    )
  })

  it('that refuses a file says what to do with the file', async () => {
    const { gallery, storage } = setUpGallery()
    await gallery.load()
    storage.importFile.mockRejectedValueOnce(full())
    await gallery.importFile(new File([], 'ball.anyflow'))
    const { problem, waiting } = gallery.store.getState()
    expect(problem).toMatch(/full.*ball\.anyflow was not imported.*import it again/)
    expect(problem).not.toMatch(/waits/)
    expect(waiting).toEqual(nothing)
  })

  it('is told of when it refuses the end of a take, too', async () => {
    const { gallery, storage } = setUpGallery()
    await gallery.load()
    storage.finish.mockRejectedValueOnce(full())
    await gallery.finish(head, 'done', undefined)
    expect(gallery.store.getState().waiting.count).toBe(1)
  })
})

describe('an import', () => {
  it('is told of, and makes a deletion of the same take undone', async () => {
    const { gallery, storage, ids } = setUpGallery([record('a', 1)])
    await gallery.load()
    await gallery.remove('a')
    storage.importFile.mockResolvedValueOnce(record('a', 1))
    await gallery.importFile(new Blob())
    await gallery.settle()
    await settle()
    expect(storage.remove).not.toHaveBeenCalled()
    expect(ids()).toEqual(['a'])
    expect(gallery.store.getState().imported?.id).toBe('a')
    gallery.dismissImported()
    expect(gallery.store.getState().imported).toBeUndefined()
  })
})
