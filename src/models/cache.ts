/** Verified model files kept between visits, by the SHA-256 of their content. */

import { type FileCache, noCache } from './file-cache'
import { OpfsFiles } from './opfs-files'
import { openManifestStore } from './stored-manifests'
import { openPartStore } from './parts'

export { type FileCache, noCache }

const CACHE_NAME = 'anyflow-model-files-1'
const KEYS = '/.anyflow-model-files/'

/**
 * The browser's Cache API, where there is no origin private file system; entries have made-up URLs of this origin that are
 * never fetched. Browsers may give up the room of what was deleted only when the page is left.
 */
class CacheFiles {
  constructor(private readonly cache: Cache) {}

  private key(hash: string): string {
    return new URL(KEYS + hash, globalThis.location.origin).href
  }

  async get(hash: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const response = await this.cache.match(this.key(hash))
      return response ? new Uint8Array(await response.arrayBuffer()) : undefined
    } catch {
      return undefined
    }
  }

  async has(hash: string): Promise<boolean> {
    // A HEAD-like look: the body of the match is never read.
    return (await this.cache.match(this.key(hash)).catch(() => undefined)) !== undefined
  }

  async hashes(): Promise<string[]> {
    return (await this.cache.keys()).map(({ url }) => new URL(url).pathname.slice(KEYS.length))
  }

  async put(hash: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      const headers = {
        'Content-Type': 'application/octet-stream',
        'Content-Length': String(bytes.byteLength),
      }
      await this.cache.put(this.key(hash), new Response(bytes, { headers }))
    } catch {
      // Quota exceeded: the model still runs, the next visit downloads it again.
    }
  }

  async delete(hash: string): Promise<void> {
    try {
      await this.cache.delete(this.key(hash))
    } catch {
      // A later `get` is verified anyway.
    }
  }
}

async function openFiles(): Promise<OpfsFiles | CacheFiles> {
  try {
    const files = await OpfsFiles.open()
    // Where earlier versions of the app kept them.
    await caches.delete(CACHE_NAME)
    return files
  } catch {
    return new CacheFiles(await caches.open(CACHE_NAME))
  }
}

/** The best cache this environment has. */
export async function openFileCache(): Promise<FileCache> {
  try {
    if (typeof caches === 'undefined') return noCache
    const files = await openFiles()
    const [manifests, parts] = [await openManifestStore(), await openPartStore()]
    return {
      get: (hash) => files.get(hash),
      has: (hash) => files.has(hash),
      hashes: () => files.hashes(),
      put: (hash, bytes) => files.put(hash, bytes),
      delete: (hash) => files.delete(hash),
      ...{ manifests, parts },
    }
  } catch {
    return noCache
  }
}
