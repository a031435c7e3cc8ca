/** What keeps model files, and what keeps none. The browser's own comes with `cache.ts`, when it is wanted. */

import type { PartStore } from './parts'
import type { ManifestStore } from './stored-manifests'

/** Content-addressed store. Every call is best effort: a miss or a full disk is not an error. */
export interface FileCache {
  /** The stored bytes, or undefined. The caller verifies them. */
  get(hash: string): Promise<Uint8Array<ArrayBuffer> | undefined>
  put(hash: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>
  delete(hash: string): Promise<void>
  /** True when there are bytes under that hash; they are not read. */
  has?(hash: string): Promise<boolean>
  /** Every hash that has bytes. */
  hashes?(): Promise<string[]>
  /** What is installed. */
  readonly manifests?: ManifestStore
  /** Downloads that are not finished. */
  readonly parts?: PartStore
}

/** Keeps nothing. For Node, and for pages without Cache API (private windows of some browsers). */
export const noCache: FileCache = {
  get: () => Promise.resolve(undefined),
  put: () => Promise.resolve(),
  delete: () => Promise.resolve(),
}
