import { describe, expect, it } from 'vitest'

import { StorageError } from '../../../src/errors'
import { waitingMessage } from '../../../src/store/gallery-messages'
import { frameAtTime } from '../../../src/store/kept-compare'
import { testHead } from '../gallery/clips'
import { full, record, setUpGallery as setUp } from './fake-gallery'

describe('Gallery', () => {
  it('lists what is kept, with the room', async () => {
    const { gallery, ids } = setUp([record('b', 2), record('a', 1)])
    await gallery.load()
    expect(ids()).toEqual(['b', 'a'])
    expect(gallery.store.getState()).toMatchObject({ ready: true, room: { used: 5e6, quota: 1e7 } })
  })

  it('deletes with undo, and for good when the next is deleted', async () => {
    const { gallery, storage, ids } = setUp([record('b', 2), record('a', 1)])
    await gallery.load()
    await gallery.remove('b')
    expect(ids()).toEqual(['a'])
    expect(storage.remove).not.toHaveBeenCalled()
    await gallery.undo()
    expect(ids()).toEqual(['b', 'a'])
    await gallery.remove('a')
    await gallery.remove('b')
    expect(storage.remove).toHaveBeenCalledExactlyOnceWith('a')
    expect(gallery.store.getState().deleted?.id).toBe('b')
  })

  it('says what to delete when the storage is full, and keeps the take once there is room', async () => {
    const { gallery, storage } = setUp([record('small', 2, 10), record('large', 1, 4e6)])
    await gallery.load()
    storage.add.mockRejectedValueOnce(full())
    await gallery.keep(testHead('new'), 0, [])
    const message = waitingMessage(gallery.store.getState())
    expect(message).toMatch(/full \(5\.0 MB of 10\.0 MB used\).*largest are "prompt large" \(4\.0 MB\)/)
    await gallery.remove('large')
    expect(storage.remove, 'at once, not after the time for undo').toHaveBeenCalledWith('large')
    expect(storage.retry).toHaveBeenCalledOnce()
    expect(waitingMessage(gallery.store.getState())).toBeUndefined()
  })

  it('says so when a take cannot be opened, and goes on', async () => {
    const { gallery, storage, open } = setUp([record('a', 1)])
    await gallery.load()
    storage.clip.mockRejectedValueOnce(new StorageError('bad-file', 'The frames are damaged.'))
    await gallery.open('a')
    expect(gallery.store.getState().problem).toBe('The frames are damaged.')
    await gallery.open('a')
    expect(open).toHaveBeenCalledTimes(2)
    expect(gallery.store.getState().shownId).toBe('a')
  })

  it('compares the last two chosen', async () => {
    const { gallery } = setUp([record('c', 3), record('b', 2), record('a', 1)])
    await gallery.load()
    for (const id of ['a', 'b', 'c']) gallery.toggleCompared(id)
    expect(gallery.store.getState().compared).toEqual(['b', 'c'])
    gallery.toggleCompared('b')
    expect(gallery.store.getState().compared).toEqual(['c'])
    await gallery.remove('c')
    expect(gallery.store.getState().compared).toEqual([])
  })

  it('writes a take to a file named after it', async () => {
    const { gallery, save } = setUp([record('a', 1)])
    await gallery.load()
    await gallery.exportFile('a')
    expect(save).toHaveBeenCalledWith(expect.any(Blob), 'prompt-a-seed7-4steps.anyflow')
  })
})

describe('frameAtTime', () => {
  it('keeps two clips in step, and holds the end of the shorter', () => {
    const short = { fps: 8, frames: Array.from({ length: 8 }) }
    const long = { fps: 16, frames: Array.from({ length: 33 }) }
    expect([0, 0.125, 0.999, 1.5].map((time) => frameAtTime(short, time))).toEqual([0, 1, 7, 7])
    expect([0, 0.125, 0.999, 1.5].map((time) => frameAtTime(long, time))).toEqual([0, 2, 15, 24])
    expect(frameAtTime(long, 0.1 + 0.2 - 0.3 + 3 / 16)).toBe(3)
  })
})
