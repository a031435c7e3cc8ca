/** Writes takes while they are made: what a full disk refuses later, and nothing of a take that was removed. */

import { StorageError } from '../errors'
import type { GalleryDatabase } from './database'
import type { TakeRecord, WaitingTakes } from './records'
import { isStorageFull } from './storage-full'
import { drawPoster } from './thumbnails'
import { unpackChunk } from './unpack-chunk'
import { type Change, Unsaved } from './unsaved'

/** Its changes must be made one after the other; {@link remove} may come at any time. */
export class TakeWriter {
  /** Takes whose frames are still coming, but are not wanted. Ids are never used twice. */
  private readonly removed = new Set<string>()
  /** Takes that have a record, unless another tab has removed it. */
  private readonly begun = new Set<string>()

  /** @param opening the database; a failure to open it is the answer to every call */
  constructor(
    private readonly opening: Promise<GalleryDatabase>,
    private readonly unsaved = new Unsaved(),
  ) {}

  get waiting(): WaitingTakes {
    return this.unsaved.waiting
  }

  isRemoved(id: string): boolean {
    return this.removed.has(id)
  }

  /**
   * @returns the take's record; undefined when it was removed, or has no frames
   * @throws StorageError `storage-full`; the change is made by {@link retry} then
   */
  async write(id: string, change: Change): Promise<TakeRecord | undefined> {
    if (this.removed.has(id)) return undefined
    // Order matters: a take whose middle is missing cannot be played.
    if (this.unsaved.has(id)) {
      this.unsaved.add(id, change)
      await this.retry()
      if (this.unsaved.has(id)) throw new StorageError('storage-full', 'An earlier part is not kept yet.')
      return (await this.opening).get(id)
    }
    try {
      return await this.apply(id, change)
    } catch (error) {
      if (isStorageFull(error) && !this.removed.has(id)) this.unsaved.add(id, change)
      throw error
    }
  }

  /** Makes the changes that wait, as far as there is room. */
  async retry(): Promise<WaitingTakes> {
    await this.unsaved.retry((id, change) => this.apply(id, change))
    return this.unsaved.waiting
  }

  /** Removes a take for good, also what is still to come of it. */
  async remove(id: string): Promise<void> {
    this.removed.add(id)
    this.unsaved.forget(id)
    await (await this.opening).remove(id)
  }

  private async apply(id: string, change: Change): Promise<TakeRecord | undefined> {
    const db = await this.opening
    if (change.type === 'end') return endTake(db, id, change.end)
    const { head } = change
    const record =
      change.type === 'truncate'
        ? await db.truncate(head, change.first)
        : await db.addChunk(head, change.chunk, {
            poster: change.poster,
            from: change.from,
            continues: this.begun.has(id),
          })
    if (record) this.begun.add(id)
    else this.removed.add(id)
    return record
  }
}

async function endTake(
  db: GalleryDatabase,
  id: string,
  end: Pick<TakeRecord, 'state' | 'timings'>,
): Promise<TakeRecord | undefined> {
  const chunks = await db.chunks(id)
  const record = await db.get(id)
  const middle = chunks[Math.floor(chunks.length / 2)]
  if (!record || !middle) return undefined
  // The middle of a clip says more than its start.
  const [frame] = await unpackChunk(middle, record)
  const poster = await drawPoster(frame!, record)
  return db.update(id, { ...end, ...(poster ? { poster } : {}) })
}
