import { createStore, type StoreApi } from 'zustand/vanilla'

import type { Timings } from '../engine/types'
import type { GalleryStorage } from '../gallery/client'
import type { Clip, StorageRoom, TakeHead, TakeRecord, WaitingTakes } from '../gallery/records'
import { isStorageFull } from '../gallery/storage-full'
import { TAKE_FILE_EXTENSION } from '../gallery/take-file'
import { ThumbnailCache } from '../gallery/thumbnail-cache'
import { takeFileName } from './format'
import { fullMessage, goneMessage, importMessage } from './gallery-messages'
import type { TakeKeeper } from './recorder'

export interface GalleryState {
  /** False until the kept takes have been read once. */
  readonly ready: boolean
  /** Newest first. */
  readonly takes: readonly TakeRecord[]
  /** The take on the preview, when it is one of the kept. */
  readonly shownId: string | undefined
  /** Takes chosen for a comparison, at most two. */
  readonly compared: readonly string[]
  /** The take deleted last, while it can still be brought back. */
  readonly deleted: TakeRecord | undefined
  /** The take that was read from a file last, until the message about it goes. */
  readonly imported: TakeRecord | undefined
  readonly room: StorageRoom | undefined
  /** What the full disk refused; lost when the tab is closed. */
  readonly waiting: WaitingTakes
  /** What else is wrong and what to do, for people. */
  readonly problem: string | undefined
}

export type GalleryStore = StoreApi<GalleryState>

/**
 * Opens a kept take in the preview.
 * @param read unpacks the take's frames, which takes a while
 * @param isWanted false once another was asked for
 * @returns false when it was given up, for another or for a take that began meanwhile
 */
export type OpenTake = (
  record: TakeRecord,
  read: () => Promise<Clip>,
  isWanted: () => boolean,
) => Promise<boolean>

/** Width, pixels, and number of the pictures that a thumbnail plays. */
const THUMBNAIL_WIDTH = 192
const THUMBNAIL_COUNT = 24

/** Time between two looks for room while a take waits for it, ms. */
const LOOK_FOR_ROOM = 3000

/** The takes kept in this browser, and what can be done to them. */
export class Gallery implements TakeKeeper {
  readonly store: GalleryStore = createStore<GalleryState>()(() => ({
    ready: false,
    takes: [],
    shownId: undefined,
    compared: [],
    deleted: undefined,
    imported: undefined,
    room: undefined,
    waiting: { count: 0, dropped: [] },
    problem: undefined,
  }))
  /** Pictures of takes in small. */
  readonly thumbnails: ThumbnailCache
  private persistent = false
  /** Counts takes that were to be opened; only the last is. */
  private openings = 0
  /** Takes removed for good. Frames of one that is still being made go nowhere. */
  private readonly removed = new Set<string>()
  /** Kept takes by the request that the take store shows them with. */
  private readonly ids = new WeakMap<object, string>()

  private lookTimer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly storage: GalleryStorage,
    private readonly openTake: OpenTake,
    private readonly save: (blob: Blob, fileName: string) => Promise<void>,
  ) {
    this.thumbnails = new ThumbnailCache((id) => storage.thumbnails(id, THUMBNAIL_WIDTH, THUMBNAIL_COUNT))
    this.store.subscribe(() => this.lookForRoom())
  }

  /** Reads the list. Failures go to the store. */
  async load(): Promise<void> {
    await this.attempt(async () => {
      this.store.setState({ takes: await this.storage.list(), ready: true })
      await this.measure()
    })
  }

  begin(head: TakeHead, request: object): void {
    this.ids.set(request, head.id)
    this.store.setState({ shownId: head.id })
  }

  async keep(
    head: TakeHead,
    first: number,
    frames: Uint8ClampedArray<ArrayBuffer>[],
    from = 0,
  ): Promise<void> {
    await this.write(head, () => this.storage.add(head, first, frames, from))
    // Once there is something to lose. Browsers that ask people do so now, when it makes sense to them.
    if (this.persistent) return
    this.persistent = true
    await this.storage.persist().catch(() => false)
  }

  async truncate(head: TakeHead, first: number): Promise<void> {
    await this.write(head, () => this.storage.truncate(head, first))
  }

  async finish(head: TakeHead, state: 'done' | 'stopped', timings: Timings | undefined): Promise<void> {
    await this.write(head, () => this.storage.finish(head.id, state, timings))
    await this.attempt(() => this.measure())
  }

  /** Shows a kept take in the preview, in place of the last one; unless another, or a new take, is wanted meanwhile. */
  async open(id: string): Promise<void> {
    const record = this.find(id)
    if (!record) return
    this.ids.set(record.request, id)
    const opening = ++this.openings
    await this.attempt(async () => {
      const read = () => this.storage.clip(id)
      if (await this.openTake(record, read, () => opening === this.openings))
        this.store.setState({ shownId: id })
    })
  }

  /** Another request object stands for the same take: a chunk of it is made again. */
  renamed(before: object, now: object): void {
    const id = this.ids.get(before)
    if (id !== undefined) this.ids.set(now, id)
  }

  /** The preview shows another take: one of the kept, or none of them. */
  follow(request: object | undefined): void {
    this.store.setState({ shownId: request && this.ids.get(request) })
  }

  clip(id: string): Promise<Clip> {
    return this.storage.clip(id)
  }

  /**
   * Deletes a take. Until another is deleted or {@link settle} is called, {@link undo} brings it back; one that is being
   * made goes on being kept till then, so that it comes back whole.
   */
  async remove(id: string): Promise<void> {
    const record = this.find(id)
    if (!record) return
    const settled = this.settle()
    // At once, so that the worker is told in the order in which people act.
    this.leaveOut(id)
    this.store.setState({ deleted: record })
    await this.attempt(async () => {
      const marked = await this.mark(id).catch((error: unknown) => {
        this.restore(record)
        throw error
      })
      // Room is wanted now, and what waits for it is newer than what was deleted.
      if (!marked || this.isWaiting) await this.settle(id)
    })
    await settled
  }

  async undo(): Promise<void> {
    const { deleted } = this.store.getState()
    if (!deleted) return
    // At once: the time for it must not run out meanwhile.
    this.restore(deleted)
    await this.attempt(async () => {
      const record = await this.storage.hide(deleted.id, false).catch((error: unknown) => {
        this.leaveOut(deleted.id)
        this.store.setState({ deleted })
        throw error
      })
      if (record) this.insert(record)
      else {
        this.forget(deleted.id)
        this.store.setState({ problem: goneMessage(deleted.request.prompt) })
      }
    })
  }

  /**
   * Makes the last deletion final and uses the room it gives.
   * @param id only when it is this one
   */
  async settle(id?: string): Promise<void> {
    const { deleted } = this.store.getState()
    if (!deleted || (id !== undefined && deleted.id !== id)) return
    this.forget(deleted.id)
    await this.attempt(() => this.storage.remove(deleted.id))
    await this.roomChanged()
  }

  /** Something was deleted, here or elsewhere: keeps what waits for room. */
  async roomChanged(): Promise<void> {
    await this.attempt(async () => {
      if (this.isWaiting) await this.retry()
      await this.measure()
    })
  }

  /** Writes a take, without loss, to a file that {@link importFile} reads. */
  async exportFile(id: string): Promise<void> {
    const record = this.find(id)
    if (!record) return
    await this.attempt(async () => {
      const blob = await this.storage.exportFile(id)
      await this.save(blob, takeFileName(record.request, TAKE_FILE_EXTENSION))
    })
  }

  async importFile(file: Blob): Promise<void> {
    const name = file instanceof File ? file.name : undefined
    await this.attempt(
      async () => {
        const record = await this.storage.importFile(file)
        const { deleted } = this.store.getState()
        // Read again while it could be brought back: that is what happened.
        if (deleted?.id === record.id) this.store.setState({ deleted: undefined })
        this.insert(record)
        this.store.setState({ imported: record })
        await this.roomChanged()
      },
      (state) => importMessage(state, name),
    )
  }

  /** Chooses a take for the comparison, or gives it up. Of three, the one chosen first goes. */
  toggleCompared(id: string): void {
    this.store.setState(({ compared }) => ({
      compared: compared.includes(id)
        ? compared.filter((other) => other !== id)
        : [...compared, id].slice(-2),
    }))
  }

  clearCompared(): void {
    this.store.setState({ compared: [] })
  }

  dismissProblem(): void {
    this.store.setState({ problem: undefined })
  }

  dismissImported(): void {
    this.store.setState({ imported: undefined })
  }

  /** The record of the take on the preview, when it is kept. */
  get shown(): TakeRecord | undefined {
    const { shownId } = this.store.getState()
    return shownId === undefined ? undefined : this.find(shownId)
  }

  find(id: string): TakeRecord | undefined {
    return this.store.getState().takes.find((take) => take.id === id)
  }

  private get isWaiting(): boolean {
    return this.store.getState().waiting.count > 0
  }

  /** Changes a take that is being made. What a full disk refuses waits in the worker. */
  private async write(
    { id }: Pick<TakeHead, 'id'>,
    change: () => Promise<TakeRecord | undefined>,
  ): Promise<void> {
    if (this.removed.has(id)) return
    await this.attempt(async () => {
      try {
        const record = await change()
        if (record) this.put(record)
        else this.forget(id)
      } catch (error) {
        if (!isStorageFull(error)) throw error
        // Not at every chunk: the message would be read out again with each new number.
        if (!this.isWaiting) await this.measure()
        this.store.setState({ waiting: await this.storage.waiting() })
        return
      }
      // It had room, so there may be some for what waits.
      if (this.isWaiting) await this.retry()
    })
  }

  /** Room comes late (a browser may free it long after a deletion) and from elsewhere (another tab): it is looked for. */
  private lookForRoom(): void {
    if (this.lookTimer !== undefined || !this.isWaiting) return
    this.lookTimer = setTimeout(() => {
      this.lookTimer = undefined
      void this.roomChanged().then(() => this.lookForRoom())
    }, LOOK_FOR_ROOM)
  }

  private async retry(): Promise<void> {
    const before = this.store.getState().waiting.count
    const waiting = await this.storage.retry()
    this.store.setState({ waiting })
    if (waiting.count < before) this.store.setState({ takes: await this.storage.list() })
  }

  /** Marks a take as deleted. @returns false on a disk so full that it takes no mark; it still gives up what is on it */
  private async mark(id: string): Promise<boolean> {
    try {
      await this.storage.hide(id, true)
      return true
    } catch (error) {
      if (isStorageFull(error)) return false
      throw error
    }
  }

  /** A take has more frames, or is over. A deleted one stays deleted. */
  private put(record: TakeRecord): void {
    if (this.removed.has(record.id)) return
    if (this.store.getState().deleted?.id === record.id) this.store.setState({ deleted: record })
    else this.insert(record)
  }

  private insert(record: TakeRecord): void {
    this.store.setState(({ takes }) => {
      const others = takes.filter(({ id }) => id !== record.id)
      return { takes: others.toSpliced(placeOf(record, others), 0, record) }
    })
  }

  /** Takes a deletion back, in the list. */
  private restore(record: TakeRecord): void {
    if (this.store.getState().deleted?.id === record.id) this.store.setState({ deleted: undefined })
    this.insert(record)
  }

  /** The take is gone for good. */
  private forget(id: string): void {
    this.removed.add(id)
    this.thumbnails.forget(id)
    this.leaveOut(id)
    if (this.store.getState().deleted?.id === id) this.store.setState({ deleted: undefined })
  }

  private leaveOut(id: string): void {
    this.store.setState(({ takes, compared }) => ({
      takes: takes.filter((take) => take.id !== id),
      compared: compared.filter((other) => other !== id),
    }))
  }

  private async measure(): Promise<void> {
    const room = await this.storage.room()
    this.store.setState({ room })
  }

  /** @param whenFull what to say when the disk is full */
  private async attempt(work: () => Promise<void>, whenFull = fullMessage): Promise<void> {
    try {
      await work()
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (isStorageFull(error)) await this.measure().catch(() => undefined)
      this.store.setState((state) => ({
        ready: true,
        problem: isStorageFull(error) ? whenFull(state) : message,
      }))
    }
  }
}

/** Where a take stands among others, newest first. */
export function placeOf(
  { made }: Pick<TakeRecord, 'made'>,
  takes: readonly Pick<TakeRecord, 'made'>[],
): number {
  const place = takes.findIndex((other) => other.made <= made)
  return place < 0 ? takes.length : place
}
