import { describe, expect, it, vi } from 'vitest'

import { type FileCache, noCache } from '../../src/models/cache'
import { type Fetch, unreachable } from '../../src/models/download'
import { loadManifest, loadPackage, type PackageProgress } from '../../src/models/package'
import { BASE, folderFetch } from './support/package'

class MemoryCache implements FileCache {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>()
  get(hash: string) {
    return Promise.resolve(this.files.get(hash))
  }
  put(hash: string, bytes: Uint8Array<ArrayBuffer>) {
    this.files.set(hash, bytes.slice())
    return Promise.resolve()
  }
  delete(hash: string) {
    this.files.delete(hash)
    return Promise.resolve()
  }
}

type Change = Parameters<typeof folderFetch>[0]

async function refusal(change: Change): Promise<{ code: string; message: string }> {
  const error: unknown = await loadPackage(BASE, { fetch: folderFetch(change) }).catch(
    (cause: unknown) => cause,
  )
  expect(error).toMatchObject({ name: 'ModelError' })
  return error as { code: string; message: string }
}

describe('loadPackage', () => {
  it('loads every needed file and counts the bytes', async () => {
    const seen: PackageProgress[] = []
    const fetch = folderFetch()
    const { manifest, files } = await loadPackage(BASE, {
      fetch,
      onProgress: (progress) => seen.push(progress),
    })
    expect([...files.keys()].sort()).toEqual([
      'cache.onnx',
      'decoder.bin',
      'decoder.onnx',
      'step.onnx',
      'text.bin',
      'text.onnx',
      'transformer.bin',
      'vocab.txt',
    ])
    // The encoder serves image and video input only.
    expect(fetch.asked).not.toContain('encoder.onnx')
    const total = [...files.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0)
    expect(seen.at(-1)).toMatchObject({ loadedBytes: total, totalBytes: total, cachedBytes: 0 })
    const counts = seen.filter(({ phase }) => phase === 'download').map(({ loadedBytes }) => loadedBytes)
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
    expect(manifest.id).toBeTruthy()
  })

  it('takes verified files from the cache the second time', async () => {
    const cache = new MemoryCache()
    await loadPackage(BASE, { fetch: folderFetch(), cache })
    const again = folderFetch()
    const seen: PackageProgress[] = []
    await loadPackage(BASE, { fetch: again, cache, onProgress: (progress) => seen.push(progress) })
    expect(again.asked).toEqual(['manifest.json'])
    expect(seen.at(-1)!.cachedBytes).toBe(seen.at(-1)!.totalBytes)
  })

  it('downloads again what the cache has damaged', async () => {
    const cache = new MemoryCache()
    await loadPackage(BASE, { fetch: folderFetch(), cache })
    const [hash, bytes] = [...cache.files][0]!
    bytes[0]! ^= 1
    const again = folderFetch()
    await loadPackage(BASE, { fetch: again, cache })
    expect(again.asked).toHaveLength(2)
    expect(cache.files.get(hash)).toEqual(Uint8Array.from(bytes, (byte, i) => (i === 0 ? byte ^ 1 : byte)))
  })

  it('names a missing file and the HTTP status', async () => {
    const { code, message } = await refusal((name, bytes) => (name === 'decoder.bin' ? undefined : bytes))
    expect(code).toBe('missing-file')
    expect(message).toMatch(/decoder\.bin .*HTTP 404/)
  })

  it('names a file with a wrong hash', async () => {
    const cache = new MemoryCache()
    const flip: Change = (name, bytes) => (name === 'transformer.bin' ? bytes.map((byte) => byte ^ 1) : bytes)
    const error: unknown = await loadPackage(BASE, { fetch: folderFetch(flip), cache }).catch(
      (cause: unknown) => cause,
    )
    expect(error).toMatchObject({ code: 'wrong-hash' })
    expect((error as Error).message).toMatch(/transformer\.bin is damaged/)
    // What was damaged is not kept, what was whole is.
    for (const bytes of cache.files.values()) expect(bytes.byteLength).toBeLessThan(81920)
  })

  it('names a file that is cut short, or longer than it should be', async () => {
    const short = await refusal((name, bytes) => (name === 'step.onnx' ? bytes.slice(0, 100) : bytes))
    expect(short.code).toBe('wrong-size')
    expect(short.message).toMatch(/step\.onnx has 100 bytes/)
    const long = await refusal((name, bytes) =>
      name === 'step.onnx' ? new Uint8Array([...bytes, 0]) : bytes,
    )
    expect(long.code).toBe('wrong-size')
  })

  it('tells a web page from a manifest, and broken JSON', async () => {
    const page = (): Promise<Response> =>
      Promise.resolve(new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } }))
    await expect(loadPackage(BASE, { fetch: page })).rejects.toMatchObject({ code: 'missing-file' })
    const broken = await refusal((name, bytes) => (name === 'manifest.json' ? bytes.slice(0, 50) : bytes))
    expect(broken.code).toBe('bad-manifest')
  })

  it('starts from what is stored while the server has a fault', async () => {
    const texts = new Map<string, string>()
    const manifests = {
      get: (base: string) => Promise.resolve(texts.get(base)),
      put: (base: string, text: string) => Promise.resolve(void texts.set(base, text)),
      delete: () => Promise.resolve(),
      list: () => Promise.resolve([]),
    }
    const cache = { ...noCache, manifests }
    const fetch = folderFetch()
    const { text } = await loadManifest(BASE, fetch, cache, undefined)
    texts.set(BASE, text)
    const down: Fetch = () => Promise.resolve(new Response('Bad gateway', { status: 502 }))
    expect((await loadManifest(BASE, down, cache, undefined)).text).toBe(text)
    texts.clear()
    await expect(loadManifest(BASE, down, cache, undefined)).rejects.toThrow(/fault \(HTTP 502\)/)
  })

  it('names what another site must send', () => {
    vi.stubGlobal('location', { origin: 'https://studio.test' })
    const message = (url: string): string => unreachable('step.onnx', url, new TypeError()).message
    expect(message('https://studio.test/m/step.onnx')).toMatch(/Check the network/)
    expect(message('https://other.test/m/step.onnx')).toMatch(
      /https:\/\/other\.test .*Access-Control-Allow-Origin: https:\/\/studio\.test/,
    )
    // It has let this page read it, so the network it is.
    expect(unreachable('f', 'https://other.test/f', new TypeError(), true).message).toMatch(
      /Check the network,/,
    )
    vi.unstubAllGlobals()
  })

  it('says so when the network fails, and stops when told', async () => {
    const fetch = (): Promise<Response> => Promise.reject(new TypeError('Failed to fetch'))
    await expect(loadPackage(BASE, { fetch })).rejects.toMatchObject({ code: 'network' })
    const controller = new AbortController()
    const loading = loadPackage(BASE, {
      fetch: folderFetch(),
      signal: controller.signal,
      onProgress: ({ phase }) => phase === 'download' && controller.abort(),
    })
    await expect(loading).rejects.toMatchObject({ name: 'AbortedError', code: 'aborted' })
  })
})
