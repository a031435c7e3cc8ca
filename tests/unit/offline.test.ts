import { describe, expect, it } from 'vitest'

import { cacheName, strategyOf, withIsolation } from '../../src/offline/strategy'

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

it('a build has a name of its own', () => {
  const entries = [{ url: 'a.js', hash: '1' }]
  expect(cacheName(entries)).toBe(cacheName([{ url: 'a.js', hash: '1' }]))
  expect(cacheName(entries)).not.toBe(cacheName([{ url: 'a.js', hash: '2' }]))
})
