/** What the service worker does with a request, and which headers it adds. Pure, so that it can be tested. */

/** A file of the build and a hash of its content. */
export interface PrecacheEntry {
  readonly url: string
  readonly hash: string
}

/**
 * - `page`: the network first, so that a new version shows; the kept page when there is none.
 * - `kept`: the cache first; its address changes with its content.
 * - `fresh`: the network first, the cache without one; for small files whose address stays.
 * - `pass`: not ours. Model files have their own verified cache.
 */
export type Strategy = 'page' | 'kept' | 'fresh' | 'pass'

/** @param scope where the app is served from, an absolute URL with a trailing slash */
export function strategyOf(
  request: {
    readonly method: string
    readonly mode: string
    readonly url: string
    readonly headers: Headers
  },
  scope: string,
): Strategy {
  const url = new URL(request.url)
  if (request.method !== 'GET' || !url.href.startsWith(scope) || request.headers.has('range')) return 'pass'
  const path = url.pathname.slice(new URL(scope).pathname.length)
  if (request.mode === 'navigate') return path === '' || path === 'index.html' ? 'page' : 'pass'
  if (path.startsWith('assets/')) return 'kept'
  // Too large to ask for each time; their version is part of the address.
  if (path.startsWith('ort/')) return 'kept'
  if (path === 'models/index.json' || path === 'results/any-step.json') return 'fresh'
  if (path.startsWith('models/')) return 'pass'
  return /^[^/]+\.(svg|png|webmanifest)$/.test(path) ? 'fresh' : 'pass'
}

/**
 * The same response with the headers that make a page cross-origin isolated, which WASM threads need. Page and worker
 * scripts need both; on anything else they do no harm.
 */
export function withIsolation(response: Response): Response {
  // An opaque or failed response cannot be rewritten.
  if (response.type === 'opaque' || response.type === 'error' || response.status === 0) return response
  const headers = new Headers(response.headers)
  headers.set('Cross-Origin-Opener-Policy', 'same-origin')
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp')
  headers.set('Cross-Origin-Resource-Policy', 'same-origin')
  const empty = response.status === 204 || response.status === 205 || response.status === 304
  return new Response(empty ? null : response.body, {
    status: response.status,
    statusText: response.statusText,
    headers,
  })
}

/** Caches of the app, of whatever build. Model files have others. */
const CACHE_PREFIX = 'anyflow-app-'

/** A name that changes when any file of the build does, or the place: one host may serve the app in several folders. */
export function cacheName(entries: readonly PrecacheEntry[], scope: string): string {
  const files = entries.map(({ url, hash }) => `${url}=${hash};`).join('')
  return `${cachesOf(scope)}${fold(files)}`
}

/** True for a cache that another build of the app left in the same place. */
export function isOldCache(name: string, current: string, scope: string): boolean {
  if (name === current) return false
  // Earlier builds did not name the place, and most hosts have one.
  return name.startsWith(cachesOf(scope)) || /^anyflow-app-[0-9a-f]{8}$/.test(name)
}

function cachesOf(scope: string): string {
  return `${CACHE_PREFIX}${fold(new URL(scope).pathname)}-`
}

/** FNV-1a: the entries carry real hashes, this only folds them into a name. */
function fold(text: string): string {
  let hash = 0x811c9dc5
  for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0
  return hash.toString(16).padStart(8, '0')
}

/**
 * Where this build has the runtime file that another build kept; `undefined` for anything else.
 * @param version of the runtimes in this build
 */
export function runtimeHere(url: string, scope: string, version: string): string | undefined {
  if (!url.startsWith(scope)) return undefined
  // Earlier builds had no version in the address.
  const name = /^ort\/(?:[^/]+\/)?([^/]+)$/.exec(url.slice(scope.length))?.[1]
  return name && new URL(`ort/${version}/${name}`, scope).href
}
