/** Downloads that are not finished, so that a broken connection or a closed tab does not start them over. */

/** Beginnings of files, by the SHA-256 that the whole file will have. Best effort. */
export interface PartStore {
  /** The beginning that is kept, in order; empty when there is none. */
  load(hash: string): Promise<Uint8Array<ArrayBuffer>[]>
  /** Adds the bytes that come next. */
  append(hash: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>
  clear(hash: string): Promise<void>
  /** Bytes that are kept of a file; they are not read. */
  bytes(hash: string): Promise<number>
  /** The files of which something is kept. */
  hashes(): Promise<string[]>
}

const CACHE_NAME = 'anyflow-model-parts-1'
const KEYS = '/.anyflow-model-parts/'

class BrowserPartStore implements PartStore {
  /** Parts kept of each file, once known. */
  private readonly counts = new Map<string, number>()

  constructor(private readonly cache: Cache) {}

  private key(hash: string, part: number): string {
    return new URL(`${KEYS}${hash}/${part}`, globalThis.location.origin).href
  }

  async load(hash: string): Promise<Uint8Array<ArrayBuffer>[]> {
    const parts: Uint8Array<ArrayBuffer>[] = []
    for (;;) {
      const response = await this.cache.match(this.key(hash, parts.length)).catch(() => undefined)
      if (!response) break
      parts.push(new Uint8Array(await response.arrayBuffer()))
    }
    this.counts.set(hash, parts.length)
    return parts
  }

  async append(hash: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const part = this.counts.get(hash) ?? (await this.load(hash)).length
    try {
      const headers = { 'Content-Length': String(bytes.byteLength) }
      await this.cache.put(this.key(hash, part), new Response(bytes, { headers }))
      this.counts.set(hash, part + 1)
    } catch {
      // Quota exceeded: this download goes on in memory. A gap must not follow, so later parts are not kept either.
      this.counts.set(hash, Number.MAX_SAFE_INTEGER)
    }
  }

  async clear(hash: string): Promise<void> {
    this.counts.delete(hash)
    // All that are there, not the first ones up to a gap: another tab may have cleared what this one still adds to.
    for (const key of await this.keys()) {
      if (hashOf(key) === hash) await this.cache.delete(key).catch(() => false)
    }
  }

  async bytes(hash: string): Promise<number> {
    let sum = 0
    for (const key of await this.keys()) {
      if (hashOf(key) !== hash) continue
      const response = await this.cache.match(key).catch(() => undefined)
      const length = response?.headers.get('content-length')
      sum += Number(length ?? (await response?.blob())?.size ?? 0)
    }
    return sum
  }

  async hashes(): Promise<string[]> {
    return [...new Set((await this.keys()).map(hashOf))]
  }

  private async keys(): Promise<readonly Request[]> {
    return this.cache.keys().catch(() => [])
  }
}

function hashOf({ url }: Request): string {
  return new URL(url).pathname.slice(KEYS.length).split('/')[0] ?? ''
}

export async function openPartStore(): Promise<PartStore> {
  return new BrowserPartStore(await caches.open(CACHE_NAME))
}
