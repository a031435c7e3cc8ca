/** Manifests of the packages this browser has: what is installed, and what a model needs to start without a network. */

export interface StoredManifest {
  /** Absolute URL of the package's folder, with a trailing slash. */
  readonly base: string
  /** `manifest.json` as it was; `undefined` where the browser has it and cannot read it. */
  readonly text: string | undefined
}

/** Best effort, as the file cache: a miss or a full disk is not an error. */
export interface ManifestStore {
  get(base: string): Promise<string | undefined>
  put(base: string, text: string): Promise<void>
  delete(base: string): Promise<void>
  /** All of them, also what cannot be read: it must not look deleted, or its files would be. */
  list(): Promise<StoredManifest[]>
}

/** Packages read from a folder have no address; theirs are made up under this path and never fetched. */
const LOCAL = '/.anyflow-local/'

/** The made-up address of a package that was read from a folder. */
export function localBase(id: string, origin: string): string {
  return new URL(`${LOCAL}${encodeURIComponent(id)}/`, origin).href
}

/** True for a package that was read from a folder. */
export function isLocal(base: string): boolean {
  return base.includes(LOCAL)
}

const PENDING = '#pending'

/** Where the manifest of a version on its way is stored, beside the one in use. */
export function pendingOf(base: string): string {
  return base + PENDING
}

/** True for the place of a version on its way. */
export function isPending(base: string): boolean {
  return base.endsWith(PENDING)
}

const CACHE_NAME = 'anyflow-model-manifests-1'
const KEYS = '/.anyflow-model-manifests/'

class BrowserManifestStore implements ManifestStore {
  constructor(private readonly cache: Cache) {}

  private key(base: string): string {
    return new URL(KEYS + encodeURIComponent(base), globalThis.location.origin).href
  }

  async get(base: string): Promise<string | undefined> {
    return this.read(this.key(base)).catch(() => undefined)
  }

  async put(base: string, text: string): Promise<void> {
    const headers = { 'Content-Type': 'application/json' }
    await this.cache.put(this.key(base), new Response(text, { headers })).catch(() => undefined)
  }

  async delete(base: string): Promise<void> {
    await this.cache.delete(this.key(base)).catch(() => false)
  }

  async list(): Promise<StoredManifest[]> {
    const found: StoredManifest[] = []
    for (const request of await this.cache.keys()) {
      const base = decodeURIComponent(new URL(request.url).pathname.slice(KEYS.length))
      // Deleted by another tab since, it has no text and no error.
      const [text, unreadable] = await this.read(request).then(
        (read) => [read, false] as const,
        () => [undefined, true] as const,
      )
      if (text !== undefined || unreadable) found.push({ base, text })
    }
    return found
  }

  /** @throws where it is there and cannot be read */
  private async read(key: RequestInfo): Promise<string | undefined> {
    return (await this.cache.match(key))?.text()
  }
}

export async function openManifestStore(): Promise<ManifestStore> {
  return new BrowserManifestStore(await caches.open(CACHE_NAME))
}
