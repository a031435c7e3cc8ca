/** The gallery's storage as the page sees it. */

import { RpcClient, type WorkerLike } from '../worker/rpc'
import type { GalleryCalls } from './protocol'
import type { Clip, StorageRoom, TakeHead, TakeRecord } from './records'

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
   * @throws StorageError `storage-full`
   */
  add(
    head: TakeHead,
    first: number,
    frames: Uint8ClampedArray<ArrayBuffer>[],
    from: number,
  ): Promise<TakeRecord> {
    const transfer = frames.map(({ buffer }) => buffer)
    return this.calls.call('add', { head, first, frames, from }, { transfer })
  }

  /** Takes that still wait for room. */
  retry(): Promise<number> {
    return this.calls.call('retry', {})
  }

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
