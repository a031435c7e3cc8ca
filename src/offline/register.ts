/** The page's side of the service worker. */

import type { KeepMessage } from './messages'

/** Set while this tab reloads to become isolated, so that it never does so twice. */
const RELOADED = 'anyflow.isolating'

/** How long a first visit waits for the worker, ms. After that it goes on with one thread. */
const WAIT = 20_000

/**
 * Makes the page cross-origin isolated on a host that does not send the headers: the service worker adds them, which only
 * counts after a reload. So this reloads once, before anything is loaded that the reload would throw away. On other hosts
 * it does nothing, and the worker may come later (`registerWorker`).
 * @param base where the app is served from, with a trailing slash
 * @returns false when the page is about to reload
 */
export async function prepareIsolation(base: string): Promise<boolean> {
  if (crossOriginIsolated) {
    sessionStorage.removeItem(RELOADED)
    return true
  }
  if (sessionStorage.getItem(RELOADED) || !(await registerWorker(base))) return true
  try {
    // An active worker answers the reload; it need not have this page.
    await Promise.race([
      navigator.serviceWorker.ready,
      new Promise((_resolve, reject) => setTimeout(reject, WAIT)),
    ])
  } catch {
    return true
  }
  sessionStorage.setItem(RELOADED, '1')
  location.reload()
  return false
}

/** @returns false where there is none: old browsers, pages that are not secure, some private windows */
export async function registerWorker(base: string): Promise<boolean> {
  if (!('serviceWorker' in navigator)) return false
  try {
    await navigator.serviceWorker.register(`${base}sw.js`)
    return true
  } catch {
    return false
  }
}

/** Has the worker keep files that were loaded before it was there. @param urls relative to the page */
export async function keepForOffline(urls: readonly string[]): Promise<void> {
  const { active } = await navigator.serviceWorker.ready
  const message: KeepMessage = { type: 'keep', urls: urls.map((url) => new URL(url, location.href).href) }
  active?.postMessage(message)
}
