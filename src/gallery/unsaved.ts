/** What the disk had no room for: kept packed in memory, to be written once there is room again. */

import { StorageError } from '../errors'
import type { GalleryDatabase } from './database'
import type { ChunkRecord, TakeHead, TakeRecord } from './records'

/** Beyond this many bytes the oldest take is given up, so that a full disk does not become a full memory. */
const LIMIT = 256 * 2 ** 20

interface Waiting {
  readonly head: TakeHead
  chunks: Omit<ChunkRecord, 'take'>[]
  poster: Blob | undefined
  end: Pick<TakeRecord, 'state' | 'timings'> | undefined
  /** What ends before this frame is not wanted any more. */
  from: number
}

export class Unsaved {
  private readonly takes = new Map<string, Waiting>()

  constructor(private readonly limit = LIMIT) {}

  /** Takes that are not on the disk, or not wholly. */
  get size(): number {
    return this.takes.size
  }

  has(id: string): boolean {
    return this.takes.has(id)
  }

  add(head: TakeHead, chunk: Omit<ChunkRecord, 'take'>, poster: Blob | undefined, from = 0): void {
    const take = this.takes.get(head.id) ?? { head, chunks: [], poster: undefined, end: undefined, from }
    take.chunks = [...take.chunks.filter(({ first, count }) => first + count > from), chunk]
    take.from = from
    take.poster ??= poster
    this.takes.set(head.id, take)
    for (const id of this.takes.keys()) {
      if (this.bytes <= this.limit || id === head.id) break
      this.takes.delete(id)
    }
  }

  /** Remembers how a waiting take ended. */
  end(id: string, end: Pick<TakeRecord, 'state' | 'timings'>): void {
    const take = this.takes.get(id)
    if (take) take.end = end
  }

  forget(id: string): void {
    this.takes.delete(id)
  }

  /** Writes what waits, oldest first, as far as there is room. @returns takes that still wait */
  async retry(db: GalleryDatabase): Promise<number> {
    for (const [id, take] of this.takes) {
      try {
        for (let chunk = take.chunks[0]; chunk; chunk = take.chunks[0]) {
          await db.addChunk(take.head, chunk, take.poster, take.from)
          take.chunks.shift()
        }
        if (take.end) await db.update(id, take.end)
        this.takes.delete(id)
      } catch (error) {
        if (error instanceof StorageError && error.code === 'storage-full') return this.takes.size
        throw error
      }
    }
    return this.takes.size
  }

  private get bytes(): number {
    let sum = 0
    for (const { chunks } of this.takes.values()) for (const { data } of chunks) sum += data.length
    return sum
  }
}
