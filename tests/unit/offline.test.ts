import { describe, expect, it } from 'vitest'

import { answer } from '../../src/offline/answer'
import { cacheName, isOldCache, runtimeHere, strategyOf, withIsolation } from '../../src/offline/strategy'

const SCOPE = 'https://studio.test/app/'

function strategy(path: string, init: { mode?: string; method?: string; range?: boolean } = {}) {
  const headers = new Headers(init.range ? { range: 'bytes=5-' } : {})
  const url = new URL(path, SCOPE).href
  return strategyOf({ method: init.method ?? 'GET', mode: init.mode ?? 'cors', url, headers }, SCOPE)
}

describe('what the service worker answers', () => {
  it.each([
    ['', 'navigate', 'page'],
    ['?prompt=a+ball', 'navigate', 'page'],
    ['index.html', 'navigate', 'page'],
    ['docs/', 'navigate', 'pass'],
    ['assets/index-abc.js', 'cors', 'kept'],
    ['ort/1.2.3/ort-wasm-simd-threaded.wasm', 'cors', 'kept'],
    ['models/index.json', 'cors', 'fresh'],
    ['results/any-step.json', 'cors', 'fresh'],
    ['models/worlds-128/manifest.json', 'cors', 'pass'],
    ['models/worlds-128/step.onnx', 'cors', 'pass'],
    ['manifest.webmanifest', 'cors', 'fresh'],
    ['icon-192.png', 'no-cors', 'fresh'],
    ['/elsewhere/index.html', 'navigate', 'pass'],
    ['https://other.test/assets/x.js', 'cors', 'pass'],
  ])('%s (%s): %s', (path, mode, expected) => {
    expect(strategy(path, { mode })).toBe(expected)
  })

  it('leaves ranges and everything but GET alone', () => {
    expect(strategy('assets/a.js', { range: true })).toBe('pass')
    expect(strategy('assets/a.js', { method: 'HEAD' })).toBe('pass')
  })
})

describe('isolation', () => {
  it('is added to what the server says, which stays', async () => {
    const response = withIsolation(
      new Response('hello', {
        status: 200,
        headers: { 'Content-Type': 'text/html', 'Cross-Origin-Opener-Policy': 'x' },
      }),
    )
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'same-origin',
    })
    expect(await response.text()).toBe('hello')
  })

  it('keeps errors errors, and answers without a body without one', () => {
    expect(withIsolation(new Response('no', { status: 404 })).status).toBe(404)
    expect(withIsolation(new Response(null, { status: 304 })).status).toBe(304)
    expect(withIsolation(Response.error()).type).toBe('error')
  })
})

describe('what is kept', () => {
  /** Answers with one kept file, from a server that answers with a status, or none. */
  async function ask(what: 'page' | 'fresh' | 'kept', status: number | undefined, kept: boolean) {
    const url = `${SCOPE}${what === 'page' ? '?prompt=x' : what === 'fresh' ? 'models/index.json' : 'assets/a.js'}`
    const key = what === 'page' ? `${SCOPE}index.html` : url
    const stored = new Map(kept ? [[key, new Response('kept')]] : [])
    const addressOf = (request: RequestInfo | URL): string =>
      request instanceof Request ? request.url : request.toString()
    const cache = {
      match: (request: RequestInfo | URL) => Promise.resolve(stored.get(addressOf(request))?.clone()),
      put: (request: RequestInfo | URL, response: Response) =>
        Promise.resolve(void stored.set(addressOf(request), response)),
    }
    const fetch = () =>
      status === undefined
        ? Promise.reject(new TypeError('Failed to fetch'))
        : Promise.resolve(new Response('served', { status }))
    const response = await answer(new Request(url), what, { cache, fetch, scope: SCOPE })
    return { text: await response.text(), status: response.status, stored: await stored.get(key)?.text() }
  }

  it.each(['page', 'fresh'] as const)('is what a %s is while its server has a fault', async (what) => {
    for (const status of [500, 502, 503, undefined])
      expect(await ask(what, status, true)).toMatchObject({ text: 'kept', status: 200 })
    expect(await ask(what, 200, true)).toMatchObject({ text: 'served', stored: 'served' })
    expect(await ask(what, 404, true)).toMatchObject({ text: 'served', status: 404, stored: 'kept' })
    expect(await ask(what, 503, false)).toMatchObject({ text: 'served', status: 503, stored: undefined })
    await expect(ask(what, undefined, false)).rejects.toThrow('Failed to fetch')
  })

  it('comes first where the address changes with the content', async () => {
    expect(await ask('kept', 200, true)).toMatchObject({ text: 'kept' })
    expect(await ask('kept', 200, false)).toMatchObject({ text: 'served', stored: 'served' })
    expect(await ask('kept', 404, false)).toMatchObject({ status: 404, stored: undefined })
  })
})

describe('the next build', () => {
  it('keeps the runtime in its own version only', () => {
    const wasm = 'ort-wasm-simd-threaded.wasm'
    const here = `${SCOPE}ort/1.31.0/${wasm}`
    for (const before of [`ort/1.30.0/${wasm}`, `ort/1.31.0/${wasm}`, `ort/${wasm}`])
      expect(runtimeHere(SCOPE + before, SCOPE, '1.31.0')).toBe(here)
    for (const other of ['assets/a.js', 'index.html', 'ort/', 'models/ort/x'])
      expect(runtimeHere(SCOPE + other, SCOPE, '1.31.0')).toBeUndefined()
    expect(runtimeHere(`https://studio.test/ort/1.30.0/${wasm}`, SCOPE, '1.31.0')).toBeUndefined()
  })

  it('has a cache of its own, and leaves those of other folders on the host alone', () => {
    const entries = [{ url: 'a.js', hash: '1' }]
    const name = cacheName(entries, SCOPE)
    const before = cacheName([{ url: 'a.js', hash: '2' }], SCOPE)
    const elsewhere = cacheName(entries, 'https://studio.test/other/')
    expect(cacheName([{ url: 'a.js', hash: '1' }], SCOPE)).toBe(name)
    expect(new Set([name, before, elsewhere]).size).toBe(3)
    expect(isOldCache(before, name, SCOPE)).toBe(true)
    // As builds named them that did not know folders.
    expect(isOldCache('anyflow-app-0123abcd', name, SCOPE)).toBe(true)
    for (const other of [name, elsewhere, 'anyflow-model-files-1'])
      expect(isOldCache(other, name, SCOPE)).toBe(false)
  })
})
