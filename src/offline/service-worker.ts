/**
 * Makes the built app work without a network, and cross-origin isolated on hosts that send no such headers. Written by hand:
 * it is four rules, and workbox would bring more code than the app's own. Model files are none of its business.
 */

import { answer } from './answer'
import type { KeepMessage } from './messages'
import { cacheName, isOldCache, type PrecacheEntry, runtimeHere, strategyOf } from './strategy'

declare const self: ServiceWorkerGlobalScope
/** Put in by the build (scripts/vite/service-worker.ts). */
declare const __PRECACHE__: readonly PrecacheEntry[]
/** Put in by the build (scripts/vite/ort-assets.ts). `ort-files.ts` is part of the page's scripts, and this imports none. */
declare const __ORT_VERSION__: string

const entries = __PRECACHE__
const scope = self.registration.scope
const name = cacheName(entries, scope)

self.addEventListener('install', (event) => event.waitUntil(install()))
self.addEventListener('activate', (event) => event.waitUntil(activate()))
self.addEventListener('fetch', (event) => {
  const strategy = strategyOf(event.request, scope)
  if (strategy === 'pass') return
  const { request } = event
  event.respondWith(caches.open(name).then((cache) => answer(request, strategy, { cache, fetch, scope })))
})
self.addEventListener('message', (event) => {
  const message = event.data as KeepMessage
  event.waitUntil(keep(message.urls))
})

async function install(): Promise<void> {
  const cache = await caches.open(name)
  // Past the browser's own cache, which may hold files of an older version under the same name.
  await cache.addAll(entries.map(({ url }) => new Request(new URL(url, scope), { cache: 'no-cache' })))
  // The runtime in use is not in the list. What the build before this one had kept is wanted again, in this build's version:
  // its code runs with no other.
  for (const other of await oldCaches()) {
    const before = await caches.open(other)
    for (const { url } of await before.keys()) {
      const wanted = runtimeHere(url, scope, __ORT_VERSION__)
      if (wanted === undefined) continue
      const same = await before.match(wanted)
      await (same ? cache.put(wanted, same) : cache.add(wanted)).catch(() => undefined)
    }
  }
}

async function oldCaches(): Promise<string[]> {
  return (await caches.keys()).filter((other) => isOldCache(other, name, scope))
}

// Open pages are not claimed: they were loaded from the network, and go on with it until the next visit.
async function activate(): Promise<void> {
  for (const other of await oldCaches()) await caches.delete(other)
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
