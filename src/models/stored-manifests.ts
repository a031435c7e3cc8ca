/** Manifests of the packages this browser has: what is installed, and what a model needs to start without a network. */

export interface StoredManifest {
  /** Absolute URL of the package's folder, with a trailing slash. */
  readonly base: string
  /** `manifest.json` as it was. */
  readonly text: string
}

/** Best effort, as the file cache: a miss or a full disk is not an error. */
export interface ManifestStore {
  get(base: string): Promise<string | undefined>
  put(base: string, text: string): Promise<void>
  delete(base: string): Promise<void>
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

const CACHE_NAME = 'anyflow-model-manifests-1'
const KEYS = '/.anyflow-model-manifests/'

class BrowserManifestStore implements ManifestStore {
  constructor(private readonly cache: Cache) {}

  private key(base: string): string {
    return new URL(KEYS + encodeURIComponent(base), globalThis.location.origin).href
  }

  async get(base: string): Promise<string | undefined> {
    const response = await this.cache.match(this.key(base)).catch(() => undefined)
    return response?.text()
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
      const text = await this.get(base)
      if (text !== undefined) found.push({ base, text })
    }
    return found
  }
}

export async function openManifestStore(): Promise<ManifestStore> {
  return new BrowserManifestStore(await caches.open(CACHE_NAME))
}
