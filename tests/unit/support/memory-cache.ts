import type { FileCache } from '../../../src/models/cache'
import type { PartStore } from '../../../src/models/parts'
import type { ManifestStore, StoredManifest } from '../../../src/models/stored-manifests'

export class MemoryManifests implements ManifestStore {
  readonly texts = new Map<string, string>()
  get(base: string): Promise<string | undefined> {
    return Promise.resolve(this.texts.get(base))
  }
  put(base: string, text: string) {
    this.texts.set(base, text)
    return Promise.resolve()
  }
  delete(base: string) {
    this.texts.delete(base)
    return Promise.resolve()
  }
  list(): Promise<StoredManifest[]> {
    return Promise.resolve([...this.texts].map(([base, text]) => ({ base, text })))
  }
}

export class MemoryParts implements PartStore {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>[]>()
  load(hash: string) {
    return Promise.resolve([...(this.files.get(hash) ?? [])])
  }
  append(hash: string, bytes: Uint8Array<ArrayBuffer>) {
    this.files.set(hash, [...(this.files.get(hash) ?? []), bytes])
    return Promise.resolve()
  }
  clear(hash: string) {
    this.files.delete(hash)
    return Promise.resolve()
  }
  bytes(hash: string) {
    return Promise.resolve((this.files.get(hash) ?? []).reduce((sum, part) => sum + part.length, 0))
  }
  hashes() {
    return Promise.resolve([...this.files.keys()])
  }
}

/** What the browser's cache is, in memory. */
export class MemoryCache implements FileCache {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>()
  readonly manifests = new MemoryManifests()
  readonly parts = new MemoryParts()
  /** Room, in files. */
  room = Infinity
  get(hash: string) {
    return Promise.resolve(this.files.get(hash))
  }
  put(hash: string, bytes: Uint8Array<ArrayBuffer>) {
    if (this.files.size < this.room) this.files.set(hash, bytes)
    return Promise.resolve()
  }
  delete(hash: string) {
    this.files.delete(hash)
    return Promise.resolve()
  }
  has(hash: string) {
    return Promise.resolve(this.files.has(hash))
  }
  hashes() {
    return Promise.resolve([...this.files.keys()])
  }
}
