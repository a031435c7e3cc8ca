import { readdirSync, readFileSync } from 'node:fs'

import { describe, expect, it, vi } from 'vitest'

import { memoryNeed } from '../../src/engine/memory'
import {
  type FolderFile,
  installedShare,
  installFolder,
  installPackage,
  readFolder,
  removePackage,
} from '../../src/models/install'
import { parseManifest } from '../../src/models/manifest'
import { loadGraphFiles, loadPackage } from '../../src/models/package'
import { openManifestStore, pendingOf } from '../../src/models/stored-manifests'
import { packageAddress } from '../../src/store/model-library'
import { MemoryCache } from './support/memory-cache'
import { BASE, folderFetch } from './support/package'
import { pathOf } from './support/vectors'

const folder = pathOf('../../fixtures/tiny')
const files = readdirSync(folder).map((name) => ({
  path: `tiny/${name}`,
  content: new Blob([readFileSync(`${folder}/${name}`)]),
}))
const text = readFileSync(`${folder}/manifest.json`, 'utf8')
const manifest = parseManifest(JSON.parse(text))

const ORIGIN = 'http://studio.test'
const LOCAL = 'http://studio.test/.anyflow-local/tiny-fixture/'
/** A file of the package, and its hash. */
const hashOf = (path: string) => manifest.files.find((entry) => entry.path === path)!.sha256

async function installFiles(chosen: readonly FolderFile[], cache: MemoryCache): Promise<void> {
  await installFolder(await readFolder(chosen, ORIGIN), { cache })
}

const hashesOf = (stored: string | undefined) =>
  parseManifest(JSON.parse(stored!)).files.map(({ sha256 }) => sha256)

/** The next version of the package: one file is another. */
async function update(): Promise<{ files: FolderFile[]; fetch: ReturnType<typeof folderFetch> }> {
  const bytes = new Uint8Array(readFileSync(`${folder}/decoder.bin`)).map((byte) => byte ^ 1)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  const newText = text.replace(hashOf('decoder.bin'), Buffer.from(digest).toString('hex'))
  const changed = new Map([
    ['decoder.bin', bytes],
    ['manifest.json', new TextEncoder().encode(newText)],
  ])
  return {
    files: files.map((file) => {
      const other = changed.get(file.path.slice('tiny/'.length))
      return other ? { ...file, content: new Blob([other]) } : file
    }),
    fetch: folderFetch((name, whole) => changed.get(name) ?? whole),
  }
}

/** Everything that lies in the browser. */
const leftIn = (cache: MemoryCache) => [
  ...cache.files.keys(),
  ...cache.parts.files.keys(),
  ...cache.manifests.texts.keys(),
]

describe('installing', () => {
  it('brings every file, also those that only some tasks need, and then loads without a network', async () => {
    const cache = new MemoryCache()
    const seen: number[] = []
    const fetch = folderFetch()
    await installPackage(BASE, { cache, fetch, onProgress: ({ loadedBytes }) => seen.push(loadedBytes) })
    expect(fetch.asked).toContain('encoder.onnx')
    expect(await installedShare(manifest, cache)).toBe(1)
    expect(seen.at(-1)).toBe(manifest.files.reduce((sum, { bytes }) => sum + bytes, 0))
    const offline = () => Promise.reject(new TypeError('Failed to fetch'))
    expect((await loadPackage(BASE, { cache, fetch: offline })).manifest.id).toBe(manifest.id)
  })

  it('goes on where it stopped', async () => {
    const cache = new MemoryCache()
    const controller = new AbortController()
    const stopping = installPackage(BASE, {
      cache,
      fetch: folderFetch(),
      signal: controller.signal,
      onProgress: ({ item }) => item === 'decoder.onnx' && controller.abort(),
    })
    await expect(stopping).rejects.toMatchObject({ code: 'aborted' })
    const share = await installedShare(manifest, cache)
    expect(share).toBeGreaterThan(0)
    expect(share).toBeLessThan(1)
    const again = folderFetch()
    const had = cache.files.size
    await installPackage(BASE, { cache, fetch: again })
    expect(again.asked).toHaveLength(manifest.files.length - had + 1)
  })

  it('says so when the browser has no room, and leaves nothing of it', async () => {
    for (const room of [0, 3]) {
      const cache = new MemoryCache()
      cache.room = room
      const refusal = { code: 'storage-full' }
      await expect(installPackage(BASE, { cache, fetch: folderFetch() })).rejects.toMatchObject(refusal)
      expect(leftIn(cache)).toEqual([])
      await expect(installFiles(files, cache)).rejects.toMatchObject(refusal)
      expect(leftIn(cache)).toEqual([])
    }
  })

  it('leaves what was there when it goes no further', async () => {
    const cache = new MemoryCache()
    await loadPackage(BASE, { cache, fetch: folderFetch() })
    const before = leftIn(cache)
    cache.room = before.length - 1
    await expect(installPackage(BASE, { cache, fetch: folderFetch() })).rejects.toMatchObject({
      code: 'storage-full',
    })
    expect(leftIn(cache)).toEqual(before)
  })

  it('keeps nothing of a package with a damaged file, and what can go on under its manifest', async () => {
    const cache = new MemoryCache()
    const damaged = folderFetch((name, bytes) => (name === 'vocab.txt' ? bytes.map((x) => x ^ 1) : bytes))
    await expect(installPackage(BASE, { cache, fetch: damaged })).rejects.toMatchObject({
      code: 'wrong-hash',
    })
    expect(leftIn(cache)).toEqual([])
    const none = folderFetch((name, bytes) => (name === 'manifest.json' ? bytes : undefined))
    await expect(installPackage(BASE, { cache, fetch: none })).rejects.toMatchObject({ code: 'missing-file' })
    expect(leftIn(cache)).toEqual([])
    const part = folderFetch((name, bytes) => (name === 'vocab.txt' ? undefined : bytes))
    await expect(installPackage(BASE, { cache, fetch: part })).rejects.toMatchObject({ code: 'missing-file' })
    expect([...cache.manifests.texts.keys()]).toEqual([BASE])
    expect(await installedShare(manifest, cache)).toBeGreaterThan(0.5)
    await removePackage(BASE, cache)
    expect(leftIn(cache)).toEqual([])
  })

  it('lists a load that broke off with the beginnings of files, and deletes those too', async () => {
    const cache = new MemoryCache()
    await cache.parts.append(hashOf('transformer.bin'), new Uint8Array(1000))
    const fetch = folderFetch((name, bytes) => (name === 'manifest.json' ? bytes : undefined))
    await expect(loadPackage(BASE, { cache, fetch })).rejects.toMatchObject({ code: 'missing-file' })
    expect([...cache.manifests.texts.keys()]).toEqual([BASE])
    const whole = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0)
    expect((await installedShare(manifest, cache)) * whole).toBeCloseTo(1000)
    await removePackage(BASE, cache)
    expect(leftIn(cache)).toEqual([])
  })

  it('counts no file as whole before it is verified', async () => {
    const cache = new MemoryCache()
    for (const { sha256, bytes } of manifest.files) await cache.parts.append(sha256, new Uint8Array(bytes))
    expect(await installedShare(manifest, cache)).toBeLessThan(1)
  })

  it('reads a folder, which then loads from its made-up address', async () => {
    const cache = new MemoryCache()
    const chosen = await readFolder(files, ORIGIN)
    expect(chosen.base).toBe(LOCAL)
    await installFolder(chosen, { cache })
    const never = () => Promise.reject(new Error('nothing may be fetched'))
    expect((await loadPackage(LOCAL, { cache, fetch: never })).files.size).toBe(8)
    const again = /Add the model's folder again/
    cache.files.clear()
    await expect(loadPackage(LOCAL, { cache, fetch: never })).rejects.toThrow(again)
    await removePackage(LOCAL, cache)
    await expect(loadPackage(LOCAL, { cache, fetch: never })).rejects.toThrow(again)
  })

  it('names what is wrong with a folder, and keeps nothing of it', async () => {
    const cache = new MemoryCache()
    const install = (chosen: FolderFile[]) => installFiles(chosen, cache)
    await expect(install(files.slice(0, 0))).rejects.toThrow(/no manifest\.json/)
    await expect(install(files.filter(({ path }) => !path.endsWith('step.onnx')))).rejects.toThrow(
      /step\.onnx is not in the folder/,
    )
    const withVocab = (content: Blob) =>
      files.map((file) => (file.path.endsWith('vocab.txt') ? { ...file, content } : file))
    await expect(install(withVocab(new Blob(['x'])))).rejects.toThrow(/vocab\.txt has 1 bytes/)
    const zeros = new Blob([new Uint8Array(readFileSync(`${folder}/vocab.txt`).length)])
    await expect(install(withVocab(zeros))).rejects.toThrow(/vocab\.txt is damaged/)
    expect(leftIn(cache)).toEqual([])
  })
})

describe('updating', () => {
  const old = hashOf('decoder.bin')

  it('deletes what only the version before needed, however it came', async () => {
    const next = await update()
    const ways = [
      (cache: MemoryCache) => installPackage(BASE, { cache, fetch: next.fetch }),
      (cache: MemoryCache) => loadPackage(BASE, { cache, fetch: next.fetch }),
    ]
    for (const way of ways) {
      const cache = new MemoryCache()
      await installPackage(BASE, { cache, fetch: folderFetch() })
      await way(cache)
      expect(cache.files.has(old)).toBe(false)
      expect([...cache.manifests.texts.keys()]).toEqual([BASE])
    }
    const cache = new MemoryCache()
    await installFiles(files, cache)
    await installFiles(next.files, cache)
    expect(cache.files.has(old)).toBe(false)
    expect(cache.files.size).toBe(manifest.files.length)
  })

  it('ends well where what the version before left cannot be looked for', async () => {
    const cache = new MemoryCache()
    await installPackage(BASE, { cache, fetch: folderFetch() })
    cache.manifests.list = () => Promise.reject(new Error('the disk has a fault'))
    const { fetch } = await update()
    await loadPackage(BASE, { cache, fetch })
    expect(await cache.manifests.get(pendingOf(BASE))).toBeUndefined()
    expect(hashesOf(await cache.manifests.get(BASE))).not.toContain(old)
  })

  it('keeps the version before, and loads it without a network, until the new one is whole', async () => {
    const cache = new MemoryCache()
    await installPackage(BASE, { cache, fetch: folderFetch() })
    const { fetch } = await update()
    const offline = () => Promise.reject(new TypeError('Failed to fetch'))
    const breaks: typeof fetch = Object.assign(
      (url: string, init?: Parameters<typeof fetch>[1]) =>
        url.endsWith('decoder.bin')
          ? Promise.resolve(new Response('gone', { status: 404 }))
          : fetch(url, init),
      { asked: [] },
    )
    await expect(loadPackage(BASE, { cache, fetch: breaks })).rejects.toMatchObject({ code: 'missing-file' })
    expect([...cache.manifests.texts.keys()]).toEqual([BASE, pendingOf(BASE)])
    expect((await loadPackage(BASE, { cache, fetch: offline })).manifest.files).toEqual(manifest.files)
    await loadPackage(BASE, { cache, fetch })
    expect([...cache.manifests.texts.keys()]).toEqual([BASE])
  })

  it('that broke off is deleted with the version before', async () => {
    const cache = new MemoryCache()
    await installPackage(BASE, { cache, fetch: folderFetch() })
    const { fetch } = await update()
    const controller = new AbortController()
    const stopping = installPackage(BASE, {
      ...{ cache, fetch, signal: controller.signal },
      onProgress: ({ item }) => item === 'decoder.bin' && controller.abort(),
    })
    await expect(stopping).rejects.toMatchObject({ code: 'aborted' })
    await removePackage(BASE, cache)
    expect(leftIn(cache)).toEqual([])
  })

  it('that fails leaves the folder package that it would have replaced', async () => {
    const cache = new MemoryCache()
    await installFiles(files, cache)
    const before = leftIn(cache)
    cache.room = manifest.files.length
    await expect(installFiles((await update()).files, cache)).rejects.toMatchObject({ code: 'storage-full' })
    expect(leftIn(cache)).toEqual(before)
  })
})

describe('deleting', () => {
  it('a package takes all but what another one uses too', async () => {
    const cache = new MemoryCache()
    await installPackage(BASE, { cache, fetch: folderFetch() })
    await installFiles(files, cache)
    await removePackage(BASE, cache)
    expect(await installedShare(manifest, cache)).toBe(1)
    await removePackage(LOCAL, cache)
    expect(leftIn(cache)).toEqual([])
  })

  it('works where a manifest cannot be read, its own or another', async () => {
    const cache = new MemoryCache()
    await installPackage(BASE, { cache, fetch: folderFetch() })
    const shared = hashOf('vocab.txt')
    cache.manifests.texts.set('http://other.test/', `{"format":"anyflow-studio/9","x":["${shared}"`)
    cache.manifests.texts.set(BASE, text.slice(0, -100))
    await removePackage(BASE, cache)
    expect(leftIn(cache)).toEqual([shared, 'http://other.test/'])
    await removePackage('http://other.test/', cache)
    expect(leftIn(cache)).toEqual([])
  })

  it('works where the browser cannot read what it stored, and spares what may belong to that', async () => {
    const other = 'http://other.test/'
    const broken = (cache: MemoryCache, base: string): void => {
      const list = cache.manifests.list.bind(cache.manifests)
      cache.manifests.list = async () =>
        (await list()).map((stored) => (stored.base === base ? { base, text: undefined } : stored))
    }
    const cache = new MemoryCache()
    await installPackage(BASE, { cache, fetch: folderFetch() })
    await cache.manifests.put(other, '{}')
    const theirs = '0'.repeat(64)
    await cache.put(theirs, new Uint8Array(1))
    broken(cache, other)
    await removePackage(BASE, cache)
    expect(leftIn(cache)).toEqual([theirs, other])

    broken(cache, other)
    await removePackage(other, cache)
    expect(leftIn(cache)).toEqual([])
  })

  it('takes files that no manifest names, as earlier versions of the app left them', async () => {
    const cache = new MemoryCache()
    await installPackage(BASE, { cache, fetch: folderFetch() })
    await cache.put('0'.repeat(64), new Uint8Array(1))
    await cache.parts.append('1'.repeat(64), new Uint8Array(1))
    await removePackage(BASE, cache)
    expect(leftIn(cache)).toEqual([])
  })

  it('is not undone by what the loaded model fetches later', async () => {
    const cache = new MemoryCache()
    const fetch = folderFetch()
    await loadPackage(BASE, { cache, fetch })
    await removePackage(BASE, cache)
    const graph = await loadGraphFiles(BASE, manifest, 'encoder', { cache, fetch })
    expect(graph.size).toBe(2)
    expect(leftIn(cache)).toEqual([])
  })
})

it('lists a stored manifest that the browser cannot read, and none that is gone', async () => {
  const stored = new Map<string, Response | undefined>()
  const keyed = (url: string, value: Response | undefined): unknown => stored.set(url, value)
  vi.stubGlobal('location', { origin: ORIGIN })
  vi.stubGlobal('caches', {
    open: () =>
      Promise.resolve({
        put: (url: string, response: Response) => Promise.resolve(keyed(url, response)),
        match: (key: string | Request) => {
          const url = typeof key === 'string' ? key : key.url
          if (url.includes('broken')) return Promise.reject(new Error('the disk has a fault'))
          return Promise.resolve(stored.get(url)?.clone())
        },
        keys: () => Promise.resolve([...stored.keys()].map((url) => new Request(url))),
      }),
  })
  try {
    const manifests = await openManifestStore()
    for (const base of [BASE, 'http://broken.test/']) await manifests.put(base, text)
    keyed(`${ORIGIN}/.anyflow-model-manifests/gone`, undefined)
    expect(await manifests.list()).toEqual([{ base: BASE, text }, { base: 'http://broken.test/' }])
    expect(await manifests.get('http://broken.test/')).toBeUndefined()
    expect(await manifests.get(BASE)).toBe(text)
  } finally {
    vi.unstubAllGlobals()
  }
})

it('computes what a model needs of memory', () => {
  const need = memoryNeed(manifest)
  const unneeded = ['encoder.onnx', 'encoder.bin']
  const weights = manifest.files.filter(({ path }) => !unneeded.includes(path))
  expect(need.weights).toBe(weights.reduce((sum, { bytes }) => sum + bytes, 0))
  // 129 frames are 33 latents in chunks of 1, 2, 2 ...; the last chunk is in no cache, two chunks stay full.
  // A frame is 4 tokens, compressed 1: 27 compressed and 4 full frames.
  const slots = 27 * 1 + 4 * 4
  expect(need.cache).toBe(4 * (2 * 2 * slots * 32 + slots * slots))
  expect(need.total).toBe(need.weights + need.cache + need.decoder)
})

it('takes addresses that cannot be listened to', () => {
  expect(packageAddress(' https://example.org/m ')).toBe('https://example.org/m/')
  expect(packageAddress('https://example.org/m/manifest.json')).toBe('https://example.org/m/')
  expect(packageAddress('http://localhost:8080/m/')).toBe('http://localhost:8080/m/')
  for (const bad of ['http://example.org/m/', 'file:///m/', 'm', ''])
    expect(packageAddress(bad)).toBeUndefined()
})
