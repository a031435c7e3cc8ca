import { type Strategy, withIsolation } from './strategy'

/** How long the network may take to show a page that is kept as well, ms. */
const PAGE_TIMEOUT = 4000

/** What the answer is made of; tests hand in their own. */
export interface Sources {
  readonly cache: Pick<Cache, 'match' | 'put'>
  readonly fetch: typeof fetch
  /** Where the app is served from, an absolute URL with a trailing slash. */
  readonly scope: string
}

/** Answers a request as its strategy says. @throws what `fetch` throws, where nothing is kept either */
export async function answer(
  request: Request,
  strategy: Exclude<Strategy, 'pass'>,
  { cache, fetch, scope }: Sources,
): Promise<Response> {
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
