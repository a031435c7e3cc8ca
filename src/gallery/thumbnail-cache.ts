/** The pictures of the takes whose thumbnails played last, so that a clip is not unpacked at every visit. */

import type { TakeRecord } from './records'

/** Takes whose pictures are held; one has about 2 MB of them. */
const LIMIT = 8

interface Entry {
  /** Changes with the take's frames. */
  readonly version: string
  readonly pictures: Promise<readonly ImageBitmap[]>
  /** Thumbnails that play them now. */
  users: number
}

export interface BorrowedPictures {
  /** Fails as the reading of them does. */
  readonly pictures: Promise<readonly ImageBitmap[]>
  /** Until then they are not closed. */
  readonly release: () => void
}

export class ThumbnailCache {
  /** The one used last is the last. */
  private readonly entries = new Map<string, Entry>()

  /**
   * @param read gives a take's pictures, which the cache closes
   * @param limit takes that are held; those that play now are, even when there are more
   */
  constructor(
    private readonly read: (id: string) => Promise<readonly ImageBitmap[]>,
    private readonly limit = LIMIT,
  ) {}

  borrow(take: Pick<TakeRecord, 'id' | 'first' | 'frames' | 'bytes'>): BorrowedPictures {
    const { id } = take
    const version = `${take.first ?? 0} ${take.frames} ${take.bytes}`
    const held = this.entries.get(id)
    this.entries.delete(id)
    if (held && held.version !== version) discard(held)
    const entry =
      held?.version === version ? held : ({ version, pictures: this.read(id), users: 0 } satisfies Entry)
    entry.users++
    this.entries.set(id, entry)
    // Not kept: the next visit tries again.
    entry.pictures.catch(() => this.isHeld(id, entry) && this.entries.delete(id))
    this.trim()
    let released = false
    const release = (): void => {
      if (released) return
      released = true
      entry.users--
      if (this.isHeld(id, entry)) this.trim()
      else discard(entry)
    }
    return { pictures: entry.pictures, release }
  }

  /** The take is gone. */
  forget(id: string): void {
    const entry = this.entries.get(id)
    this.entries.delete(id)
    if (entry) discard(entry)
  }

  private isHeld(id: string, entry: Entry): boolean {
    return this.entries.get(id) === entry
  }

  private trim(): void {
    for (const [id, { users }] of this.entries) {
      if (this.entries.size <= this.limit) return
      if (users === 0) this.forget(id)
    }
  }
}

/** Closes the pictures, unless some thumbnail plays them: it does so when it is done. */
function discard(entry: Entry): void {
  if (entry.users > 0) return
  const close = (pictures: readonly ImageBitmap[]): void => pictures.forEach((picture) => picture.close())
  entry.pictures.then(close, () => undefined)
}
