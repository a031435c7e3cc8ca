/** The gallery's storage as the page sees it. */

import { RpcClient, type WorkerLike } from '../worker/rpc'
import type { GalleryCalls } from './protocol'
import type { Clip, StorageRoom, TakeHead, TakeRecord, WaitingTakes } from './records'

/** Every call may fail with a StorageError. */
export class GalleryStorage {
  private readonly calls: RpcClient<GalleryCalls>

  constructor(worker: WorkerLike) {
    this.calls = new RpcClient(worker)
  }

  /** Kept takes, newest first. */
  list(): Promise<TakeRecord[]> {
    return this.calls.call('list', {})
  }

  /**
   * Keeps frames of a take; their buffers move to the worker.
   * @param from chunks that end before this frame are let go
   * @returns undefined for a take that was removed: nothing of it is kept any more
   * @throws StorageError `storage-full`; the frames wait in the worker
   */
  add(
    head: TakeHead,
    first: number,
    frames: Uint8ClampedArray<ArrayBuffer>[],
    from: number,
  ): Promise<TakeRecord | undefined> {
    const transfer = frames.map(({ buffer }) => buffer)
    return this.calls.call('add', { head, first, frames, from }, { transfer })
  }

  /**
   * Lets a take's frames from `first` on go.
   * @returns undefined for a take that was removed
   * @throws StorageError `storage-full`; it is done once there is room
   */
  truncate(head: TakeHead, first: number): Promise<TakeRecord | undefined> {
    return this.calls.call('truncate', { head, first })
  }

  /** Takes that wait for room. */
  waiting(): Promise<WaitingTakes> {
    return this.calls.call('waiting', {})
  }

  /** Writes what waits, as far as there is room. @returns what still waits */
  retry(): Promise<WaitingTakes> {
    return this.calls.call('retry', {})
  }

  /**
   * The take is over.
   * @returns undefined when nothing of it was kept
   * @throws StorageError `storage-full`; it is noted once there is room
   */
  finish(
    id: string,
    state: 'done' | 'stopped',
    timings: TakeRecord['timings'],
  ): Promise<TakeRecord | undefined> {
    return this.calls.call('finish', { id, state, timings })
  }

  clip(id: string): Promise<Clip> {
    return this.calls.call('clip', { id })
  }

  /** @param width at most, pixels; @param count at most */
  thumbnails(id: string, width: number, count: number): Promise<ImageBitmap[]> {
    return this.calls.call('thumbnails', { id, width, count })
  }

  /** Hides a take or brings it back. @returns undefined when it is not there any more */
  hide(id: string, hidden: boolean): Promise<TakeRecord | undefined> {
    return this.calls.call('hide', { id, hidden })
  }

  async remove(id: string): Promise<void> {
    await this.calls.call('remove', { id })
  }

  exportFile(id: string): Promise<Blob> {
    return this.calls.call('exportFile', { id })
  }

  importFile(file: Blob): Promise<TakeRecord> {
    return this.calls.call('importFile', { file })
  }

  room(): Promise<StorageRoom | undefined> {
    return this.calls.call('room', {})
  }

  /** Asks the browser not to drop this page's data under pressure. Only a page may ask, a worker may not. */
  async persist(): Promise<boolean> {
    const storage = navigator.storage as StorageManager | undefined
    return (await storage?.persist()) ?? false
  }
}

/** Starts the worker. The URL must be written this way for Vite to bundle it. */
export function openGalleryStorage(): GalleryStorage {
  return new GalleryStorage(
    new Worker(new URL('./gallery.worker.ts', import.meta.url), { type: 'module', name: 'gallery' }),
  )
}
