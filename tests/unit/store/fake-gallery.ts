import { vi } from 'vitest'

import { StorageError } from '../../../src/errors'
import type { GalleryStorage } from '../../../src/gallery/client'
import type { Clip, TakeRecord } from '../../../src/gallery/records'
import { Gallery, type OpenTake } from '../../../src/store/gallery'
import { testHead } from '../gallery/clips'

export function record(id: string, made: number, bytes = 10): TakeRecord {
  return {
    ...testHead(id, { made, request: { prompt: `prompt ${id}`, steps: 4, seed: 7, frames: 5 } }),
    frames: 5,
    bytes,
    state: 'done',
  }
}

export const full = () => new StorageError('storage-full', 'full')
export const nothing = { count: 0, dropped: [] as string[] }

/** A gallery over a storage that answers as if all went well; a test makes it answer otherwise. */
export function setUpGallery(takes: TakeRecord[] = []) {
  const clip: Clip = { width: 6, height: 4, fps: 16, frames: [] }
  const storage = {
    list: vi.fn(() => Promise.resolve(takes)),
    add: vi.fn((): Promise<TakeRecord | undefined> => Promise.resolve(record('new', 9))),
    truncate: vi.fn((): Promise<TakeRecord | undefined> => Promise.resolve(record('new', 9))),
    finish: vi.fn((): Promise<TakeRecord | undefined> => Promise.resolve(record('new', 9))),
    clip: vi.fn(() => Promise.resolve(clip)),
    hide: vi.fn((id: string): Promise<TakeRecord | undefined> =>
      Promise.resolve(takes.find((take) => take.id === id) ?? record(id, 9)),
    ),
    remove: vi.fn(() => Promise.resolve()),
    waiting: vi.fn(() => Promise.resolve({ count: 1, dropped: [] as string[] })),
    retry: vi.fn(() => Promise.resolve(nothing)),
    room: vi.fn(() => Promise.resolve({ used: 5e6, quota: 1e7 })),
    persist: vi.fn(() => Promise.resolve(true)),
    exportFile: vi.fn(() => Promise.resolve(new Blob(['x']))),
    importFile: vi.fn(() => Promise.resolve(record('new', 9))),
    thumbnails: vi.fn(() => Promise.resolve([])),
  }
  const open = vi.fn<OpenTake>(async (_record, read) => {
    await read()
    return true
  })
  const save = vi.fn(() => Promise.resolve())
  const gallery = new Gallery(storage as unknown as GalleryStorage, open, save)
  const ids = () => gallery.store.getState().takes.map(({ id }) => id)
  return { gallery, storage, open, save, ids }
}
