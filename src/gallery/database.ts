/** Takes in IndexedDB: one record a take, one a chunk of its frames, so that saving a chunk never rewrites others. */

import { type DBSchema, type IDBPDatabase, openDB } from 'idb'

import { StorageError } from '../errors'
import type { ChunkRecord, TakeHead, TakeRecord } from './records'

interface Schema extends DBSchema {
  takes: { key: string; value: TakeRecord; indexes: { made: number } }
  chunks: { key: [string, number]; value: ChunkRecord }
}

const NAME = 'anyflow-gallery'

/** Deleted takes stay for so long, ms: another tab may still bring them back. */
const HIDDEN_FOR = 60_000

export interface ChunkOptions {
  readonly poster?: Blob | undefined
  /** Chunks that end before this frame are let go: a take without an end keeps its newest. */
  readonly from?: number | undefined
  /** The take has a record already, unless it was removed meanwhile. */
  readonly continues?: boolean | undefined
}

/** All keys of one take's chunks. */
const chunksOf = (take: string): IDBKeyRange => IDBKeyRange.bound([take, 0], [take, Infinity])

export class GalleryDatabase {
  private constructor(private readonly db: IDBPDatabase<Schema>) {}

  /** @throws StorageError where the browser keeps nothing (some private windows) */
  static async open(name = NAME): Promise<GalleryDatabase> {
    try {
      const db = await openDB<Schema>(name, 1, {
        upgrade(fresh) {
          fresh.createObjectStore('takes', { keyPath: 'id' }).createIndex('made', 'made')
          fresh.createObjectStore('chunks', { keyPath: ['take', 'first'] })
        },
        // A newer version of the app in another tab wants to upgrade: do not stand in its way.
        blocking(_current, _blocked, event) {
          ;(event.target as IDBDatabase).close()
        },
      })
      return new GalleryDatabase(db)
    } catch (cause) {
      throw new StorageError(
        'storage-failed',
        'This browser keeps no data for this page, so takes are lost when it closes. Export what you want to keep, ' +
          'or leave private browsing.',
        { cause },
      )
    }
  }

  /** Kept takes, newest first. */
  async list(): Promise<TakeRecord[]> {
    const all = await this.db.getAllFromIndex('takes', 'made')
    return all.filter(({ hidden }) => !hidden).reverse()
  }

  get(id: string): Promise<TakeRecord | undefined> {
    return this.db.get('takes', id)
  }

  /**
   * Adds a chunk and brings the take's record up to date, both or neither. A chunk that is there already is replaced.
   * @returns undefined, and nothing is added, when a take that `continues` is not there any more
   * @throws StorageError `storage-full`
   */
  async addChunk(
    head: TakeHead,
    chunk: Omit<ChunkRecord, 'take'>,
    { poster, from = 0, continues = false }: ChunkOptions = {},
  ): Promise<TakeRecord | undefined> {
    return this.write(async (tx) => {
      const chunks = tx.objectStore('chunks')
      const before = await tx.objectStore('takes').get(head.id)
      if (continues && !before) return undefined
      const replaced = await chunks.get([head.id, chunk.first])
      const early = from > 0 ? await chunks.getAll(IDBKeyRange.bound([head.id, 0], [head.id, from])) : []
      const gone = early.filter(({ first, count }) => first + count <= from)
      for (const { first: number } of gone) await chunks.delete([head.id, number])
      await chunks.put({ take: head.id, ...chunk })
      const [, first] = (await chunks.getKey(chunksOf(head.id)))!
      const end = Math.max((before?.first ?? 0) + (before?.frames ?? 0), chunk.first + chunk.count)
      const freed = [...gone, ...(replaced ? [replaced] : [])].reduce((sum, { data }) => sum + data.length, 0)
      const record: TakeRecord = {
        ...before,
        ...head,
        frames: end - first,
        ...(first > 0 ? { first } : {}),
        bytes: (before?.bytes ?? 0) - freed + chunk.data.length,
        state: before?.state ?? 'making',
        ...(poster ? { poster } : {}),
      }
      await tx.objectStore('takes').put(record)
      return record
    })
  }

  /**
   * Removes a take's frames from `first` on, where a chunk begins, and brings its record up to date.
   * @returns undefined when the take is not there any more
   * @throws StorageError `storage-full`: on a full disk even the smaller record may be refused
   */
  async truncate(head: TakeHead, first: number): Promise<TakeRecord | undefined> {
    return this.write(async (tx) => {
      const before = await tx.objectStore('takes').get(head.id)
      if (!before) return undefined
      const chunks = tx.objectStore('chunks')
      const tail = IDBKeyRange.bound([head.id, first], [head.id, Infinity])
      const gone = await chunks.getAll(tail)
      await chunks.delete(tail)
      const record: TakeRecord = {
        ...before,
        ...head,
        frames: Math.max(0, Math.min(before.frames, first - (before.first ?? 0))),
        bytes: before.bytes - gone.reduce((sum, { data }) => sum + data.length, 0),
      }
      await tx.objectStore('takes').put(record)
      return record
    })
  }

  /** Changes a take's record; undefined when there is none (no frame was ever kept, or it was deleted). */
  async update(id: string, change: Partial<TakeRecord>): Promise<TakeRecord | undefined> {
    return this.write(async (tx) => {
      const before = await tx.objectStore('takes').get(id)
      if (!before) return undefined
      const record = { ...before, ...change }
      await tx.objectStore('takes').put(record)
      return record
    })
  }

  /** A take's chunks in order. */
  chunks(id: string): Promise<ChunkRecord[]> {
    return this.db.getAll('chunks', chunksOf(id))
  }

  /** Removes a take for good. */
  async remove(id: string): Promise<void> {
    const tx = this.db.transaction(['takes', 'chunks'], 'readwrite')
    await tx.objectStore('takes').delete(id)
    await tx.objectStore('chunks').delete(chunksOf(id))
    await tx.done
  }

  /**
   * Removes what was deleted and not brought back.
   * @param age least time since it was deleted, ms
   */
  async sweep(age = HIDDEN_FOR): Promise<void> {
    const last = Date.now() - age
    const all = await this.db.getAll('takes')
    for (const { id, hidden, hiddenAt = 0 } of all) if (hidden && hiddenAt <= last) await this.remove(id)
  }

  close(): void {
    this.db.close()
  }

  private async write<T>(work: (tx: ReturnType<typeof this.begin>) => Promise<T>): Promise<T> {
    const tx = this.begin()
    try {
      const result = await work(tx)
      await tx.done
      return result
    } catch (cause) {
      // A failed request has aborted the transaction; its `done` must not go unhandled.
      await tx.done.catch(() => undefined)
      throw asStorageError(cause, tx.error)
    }
  }

  private begin() {
    return this.db.transaction(['takes', 'chunks'], 'readwrite')
  }
}

/** Browsers report a full disk on the request or on the transaction. */
function asStorageError(...causes: unknown[]): StorageError {
  const full = causes.some((cause) => cause instanceof Error && cause.name === 'QuotaExceededError')
  const [cause] = causes
  if (full) {
    return new StorageError('storage-full', "The browser's storage for this page is full.", { cause })
  }
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new StorageError('storage-failed', `The take could not be kept in this browser: ${detail}.`, {
    cause,
  })
}
