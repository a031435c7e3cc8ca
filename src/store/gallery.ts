import { createStore, type StoreApi } from 'zustand/vanilla'

import type { Timings } from '../engine/types'
import { StudioError } from '../errors'
import type { GalleryStorage } from '../gallery/client'
import type { Clip, StorageRoom, TakeHead, TakeRecord } from '../gallery/records'
import { TAKE_FILE_EXTENSION } from '../gallery/take-file'
import { formatBytes, takeFileName } from './format'
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
  readonly room: StorageRoom | undefined
  /** What is wrong with the storage and what to do, for people. */
  readonly problem: string | undefined
}

export type GalleryStore = StoreApi<GalleryState>

/** Opens a kept take in the preview. */
export type OpenTake = (record: TakeRecord, clip: Clip) => Promise<void>

/** The takes kept in this browser, and what can be done to them. */
export class Gallery implements TakeKeeper {
  readonly store: GalleryStore = createStore<GalleryState>()(() => ({
    ready: false,
    takes: [],
    shownId: undefined,
    compared: [],
    deleted: undefined,
    room: undefined,
    problem: undefined,
  }))
  /** The disk was full, and what it refused waits in the worker. */
  private waiting = false
  private persistent = false
  /** Kept takes by the request that the take store shows them with. */
  private readonly ids = new WeakMap<object, string>()

  constructor(
    private readonly storage: GalleryStorage,
    private readonly openTake: OpenTake,
    private readonly save: (blob: Blob, fileName: string) => Promise<void>,
  ) {}

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
    await this.attempt(async () => this.put(await this.storage.add(head, first, frames, from)))
    // Once there is something to lose. Browsers that ask people do so now, when it makes sense to them.
    if (this.persistent) return
    this.persistent = true
    await this.storage.persist().catch(() => false)
  }

  async finish(head: TakeHead, state: 'done' | 'stopped', timings: Timings | undefined): Promise<void> {
    await this.attempt(async () => {
      const record = await this.storage.finish(head.id, state, timings)
      if (record) this.put(record)
      await this.measure()
    })
  }

  /** Shows a kept take in the preview, in place of the last one. */
  async open(id: string): Promise<void> {
    const record = this.find(id)
    if (!record) return
    this.ids.set(record.request, id)
    await this.attempt(async () => {
      await this.openTake(record, await this.storage.clip(id))
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

  /** @returns up to `count` frames as bitmaps of at most `width` pixels wide; the caller closes them */
  thumbnails(id: string, width: number, count: number): Promise<ImageBitmap[]> {
    return this.storage.thumbnails(id, width, count)
  }

  /** Deletes a take. Until another is deleted or {@link settle} is called, {@link undo} brings it back. */
  async remove(id: string): Promise<void> {
    const record = this.find(id)
    if (!record) return
    await this.settle()
    await this.attempt(async () => {
      const marked = await this.mark(id)
      this.store.setState(({ takes, compared }) => ({
        takes: takes.filter((take) => take.id !== id),
        compared: compared.filter((other) => other !== id),
        deleted: record,
      }))
      // Room is wanted now, and what waits for it is newer than what was deleted.
      if (this.waiting || !marked) await this.settle()
    })
  }

  async undo(): Promise<void> {
    const { deleted } = this.store.getState()
    if (!deleted) return
    await this.attempt(async () => {
      await this.storage.hide(deleted.id, false)
      this.store.setState({ deleted: undefined })
      this.put(deleted)
    })
  }

  /** Makes the last deletion final and uses the room it gives. */
  async settle(): Promise<void> {
    const { deleted } = this.store.getState()
    if (!deleted) return
    this.store.setState({ deleted: undefined })
    await this.attempt(async () => {
      await this.storage.remove(deleted.id)
      if (this.waiting) {
        this.waiting = (await this.storage.retry()) > 0
        this.store.setState({
          takes: await this.storage.list(),
          ...(this.waiting ? {} : { problem: undefined }),
        })
      }
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
    await this.attempt(async () => {
      this.put(await this.storage.importFile(file))
      await this.measure()
    })
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

  /** The record of the take on the preview, when it is kept. */
  get shown(): TakeRecord | undefined {
    const { shownId } = this.store.getState()
    return shownId === undefined ? undefined : this.find(shownId)
  }

  find(id: string): TakeRecord | undefined {
    return this.store.getState().takes.find((take) => take.id === id)
  }

  /** Marks a take as deleted. @returns false on a disk so full that it takes no mark; it still gives up what is on it */
  private async mark(id: string): Promise<boolean> {
    try {
      await this.storage.hide(id, true)
      return true
    } catch (error) {
      if (isFull(error)) return false
      throw error
    }
  }

  private put(record: TakeRecord): void {
    this.store.setState(({ takes }) => {
      const others = takes.filter(({ id }) => id !== record.id)
      const place = others.findIndex(({ made }) => made <= record.made)
      return { takes: others.toSpliced(place < 0 ? others.length : place, 0, record) }
    })
  }

  private async measure(): Promise<void> {
    const room = await this.storage.room()
    this.store.setState({ room })
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (isFull(error)) {
        this.waiting = true
        await this.measure().catch(() => undefined)
        this.store.setState((state) => ({ problem: fullMessage(state) }))
      } else
        this.store.setState({ ready: true, problem: error instanceof Error ? error.message : String(error) })
    }
  }
}

function isFull(error: unknown): boolean {
  return error instanceof StudioError && error.code === 'storage-full'
}

/** Says what to delete: the largest takes, because few deletions should do. */
function fullMessage({ takes, room }: GalleryState): string {
  const used = room ? ` (${formatBytes(room.used)} of ${formatBytes(room.quota)} used)` : ''
  const largest = takes.toSorted((a, b) => b.bytes - a.bytes).slice(0, 3)
  const names = largest.map(({ request, bytes }) => `"${shorten(request.prompt)}" (${formatBytes(bytes)})`)
  const advice =
    names.length > 0
      ? `Delete takes to make room; the largest are ${names.join(', ')}.`
      : 'Delete a model you do not use under Models to make room.'
  return (
    `The browser's storage is full${used}. ${advice} The new take waits in this tab and is kept as soon as there is ` +
    'room; it can be exported now.'
  )
}

function shorten(prompt: string): string {
  return prompt.length > 32 ? `${prompt.slice(0, 30).trimEnd()} ...` : prompt
}
