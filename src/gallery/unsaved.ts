/** What the disk had no room for: kept packed in memory, to be written once there is room again. */

import type { ChunkRecord, TakeHead, TakeRecord, WaitingTakes } from './records'
import { isStorageFull } from './storage-full'

/** Beyond this many bytes the oldest take is given up, so that a full disk does not become a full memory. */
const LIMIT = 256 * 2 ** 20

/** A change of a take on the disk. */
export type Change =
  | {
      readonly type: 'chunk'
      readonly head: TakeHead
      readonly chunk: Omit<ChunkRecord, 'take'>
      readonly poster: Blob | undefined
      /** What ends before this frame is not wanted any more. */
      readonly from: number
    }
  /** Frames from `first` on are not wanted any more. */
  | { readonly type: 'truncate'; readonly head: TakeHead; readonly first: number }
  | { readonly type: 'end'; readonly end: Pick<TakeRecord, 'state' | 'timings'> }

export class Unsaved {
  /** Changes in their order by take, the oldest take first. */
  private readonly takes = new Map<string, Change[]>()
  private dropped: string[] = []

  constructor(private readonly limit = LIMIT) {}

  /** Takes that are not on the disk, or not wholly. */
  get waiting(): WaitingTakes {
    return { count: this.takes.size, dropped: this.dropped }
  }

  has(id: string): boolean {
    return this.takes.has(id)
  }

  add(id: string, change: Change): void {
    this.takes.set(id, [...wanted(this.takes.get(id) ?? [], change), change])
    for (const [oldest, changes] of this.takes) {
      if (this.bytes <= this.limit || oldest === id) break
      const chunk = changes.find(({ type }) => type === 'chunk')
      if (chunk?.type === 'chunk') this.dropped = [...this.dropped, chunk.head.request.prompt]
      this.takes.delete(oldest)
    }
  }

  forget(id: string): void {
    this.takes.delete(id)
    this.forgive()
  }

  /**
   * Makes the changes that wait, oldest first, as far as there is room.
   * @throws StorageError other than `storage-full`
   */
  async retry(apply: (id: string, change: Change) => Promise<unknown>): Promise<void> {
    for (const [id, changes] of this.takes) {
      try {
        // A take can be forgotten while it is written.
        for (let change = changes[0]; change && this.takes.has(id); change = changes[0]) {
          await apply(id, change)
          changes.shift()
        }
      } catch (error) {
        if (isStorageFull(error)) return
        throw error
      }
      this.takes.delete(id)
    }
    this.forgive()
  }

  /** Once nothing waits, what was given up is history. */
  private forgive(): void {
    if (this.takes.size === 0) this.dropped = []
  }

  private get bytes(): number {
    let sum = 0
    for (const changes of this.takes.values())
      for (const change of changes) if (change.type === 'chunk') sum += change.chunk.data.length
    return sum
  }
}

/** The changes that still have to be made when another follows. */
function wanted(changes: readonly Change[], next: Change): Change[] {
  if (next.type === 'chunk') {
    // The first to be written makes the room that the last would make.
    return changes
      .filter((change) => change.type !== 'chunk' || end(change) > next.from)
      .map((change) => (change.type === 'chunk' ? { ...change, from: next.from } : change))
  }
  if (next.type === 'truncate')
    return changes.filter((change) => change.type !== 'chunk' || end(change) <= next.first)
  return changes.slice()
}

function end({ chunk }: Extract<Change, { type: 'chunk' }>): number {
  return chunk.first + chunk.count
}
