/** Downloads that are not finished, so that a broken connection or a closed tab does not start them over. */

/** Beginnings of files, by the SHA-256 that the whole file will have. Best effort. */
export interface PartStore {
  /** The beginning that is kept, in order; empty when there is none. */
  load(hash: string): Promise<Uint8Array<ArrayBuffer>[]>
  /** Adds the bytes that come next. */
  append(hash: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>
  clear(hash: string): Promise<void>
}

const CACHE_NAME = 'anyflow-model-parts-1'

class BrowserPartStore implements PartStore {
  /** Parts kept of each file, once known. */
  private readonly counts = new Map<string, number>()

  constructor(private readonly cache: Cache) {}

  private key(hash: string, part: number): string {
    return new URL(`/.anyflow-model-parts/${hash}/${part}`, globalThis.location.origin).href
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
      await this.cache.put(this.key(hash, part), new Response(bytes))
      this.counts.set(hash, part + 1)
    } catch {
      // Quota exceeded: this download goes on in memory. A gap must not follow, so later parts are not kept either.
      this.counts.set(hash, Number.MAX_SAFE_INTEGER)
    }
  }

  async clear(hash: string): Promise<void> {
    for (let part = 0; await this.cache.delete(this.key(hash, part)).catch(() => false); part++);
    this.counts.delete(hash)
  }
}

export async function openPartStore(): Promise<PartStore> {
  return new BrowserPartStore(await caches.open(CACHE_NAME))
}
