/**
 * Makes the built app work without a network, and cross-origin isolated on hosts that send no such headers. Written by hand:
 * it is four rules, and workbox would bring more code than the app's own. Model files are none of its business.
 */

import type { KeepMessage } from './messages'
import { CACHE_PREFIX, cacheName, type PrecacheEntry, strategyOf, withIsolation } from './strategy'

declare const self: ServiceWorkerGlobalScope
/** Put in by the build (scripts/vite/service-worker.ts). */
declare const __PRECACHE__: readonly PrecacheEntry[]

const entries = __PRECACHE__
const name = cacheName(entries)
const scope = self.registration.scope

/** How long the network may take to show a page that is kept as well, ms. */
const PAGE_TIMEOUT = 4000

self.addEventListener('install', (event) => event.waitUntil(install()))
self.addEventListener('activate', (event) => event.waitUntil(activate()))
self.addEventListener('fetch', (event) => {
  const strategy = strategyOf(event.request, scope)
  if (strategy === 'pass') return
  event.respondWith(answer(event.request, strategy))
})
self.addEventListener('message', (event) => {
  const message = event.data as KeepMessage
  event.waitUntil(keep(message.urls))
})

async function install(): Promise<void> {
  const cache = await caches.open(name)
  // Past the browser's own cache, which may hold files of an older version under the same name.
  await cache.addAll(entries.map(({ url }) => new Request(new URL(url, scope), { cache: 'no-cache' })))
  // The runtime in use is not in the list. What the version before this one had kept is wanted again, as it is now.
  for (const other of await caches.keys()) {
    if (!other.startsWith(CACHE_PREFIX) || other === name) continue
    const kept = await (await caches.open(other)).keys()
    for (const { url } of kept.filter((request) => request.url.startsWith(`${scope}ort/`))) {
      await cache.add(new Request(url, { cache: 'no-cache' })).catch(() => undefined)
    }
  }
}

// Open pages are not claimed: they were loaded from the network, and go on with it until the next visit.
async function activate(): Promise<void> {
  for (const other of await caches.keys()) {
    if (other.startsWith(CACHE_PREFIX) && other !== name) await caches.delete(other)
  }
}

async function answer(request: Request, strategy: 'page' | 'kept' | 'fresh'): Promise<Response> {
  const cache = await caches.open(name)
  if (strategy === 'kept') {
    const kept = await cache.match(request, { ignoreSearch: true })
    if (kept) return withIsolation(kept)
    const response = await fetch(request)
    if (response.ok) await cache.put(request, response.clone()).catch(() => undefined)
    return withIsolation(response)
  }
  const key = strategy === 'page' ? new URL('index.html', scope).href : request.url
  const kept = await cache.match(key)
  try {
    const signal = kept && strategy === 'page' ? AbortSignal.timeout(PAGE_TIMEOUT) : null
    const response = await fetch(request, signal ? { signal } : {})
    // A host that is down behind its proxy still answers: what is kept is better than its error page.
    if (kept && response.status >= 500) return withIsolation(kept)
    if (response.ok) await cache.put(key, response.clone()).catch(() => undefined)
    return withIsolation(response)
  } catch (error) {
    if (kept) return withIsolation(kept)
    throw error
  }
}

/** Files the page had loaded before this worker was there. */
async function keep(urls: readonly string[]): Promise<void> {
  const cache = await caches.open(name)
  for (const url of urls) {
    const wanted = strategyOf(new Request(url), scope) === 'kept' && !(await cache.match(url))
    // The browser's own cache usually still has it.
    if (wanted) await cache.add(url).catch(() => undefined)
  }
}
