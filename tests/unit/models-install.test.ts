import { readdirSync, readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { memoryNeed } from '../../src/engine/memory'
import type { FileCache } from '../../src/models/cache'
import { installedShare, installFolder, installPackage, removePackage } from '../../src/models/install'
import { parseManifest } from '../../src/models/manifest'
import { loadPackage } from '../../src/models/package'
import type { ManifestStore } from '../../src/models/stored-manifests'
import { packageAddress } from '../../src/store/model-library'
import { BASE, folderFetch } from './support/package'
import { pathOf } from './support/vectors'

class MemoryManifests implements ManifestStore {
  readonly texts = new Map<string, string>()
  get(base: string) {
    return Promise.resolve(this.texts.get(base))
  }
  put(base: string, text: string) {
    this.texts.set(base, text)
    return Promise.resolve()
  }
  delete(base: string) {
    this.texts.delete(base)
    return Promise.resolve()
  }
  list() {
    return Promise.resolve([...this.texts].map(([base, text]) => ({ base, text })))
  }
}

class MemoryCache implements FileCache {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>()
  readonly manifests = new MemoryManifests()
  full = false
  get(hash: string) {
    return Promise.resolve(this.files.get(hash))
  }
  put(hash: string, bytes: Uint8Array<ArrayBuffer>) {
    if (!this.full) this.files.set(hash, bytes)
    return Promise.resolve()
  }
  delete(hash: string) {
    this.files.delete(hash)
    return Promise.resolve()
  }
  has(hash: string) {
    return Promise.resolve(this.files.has(hash))
  }
}

const folder = pathOf('../../fixtures/tiny')
const files = readdirSync(folder).map((name) => ({
  path: `tiny/${name}`,
  content: new Blob([readFileSync(`${folder}/${name}`)]),
}))
const manifest = parseManifest(JSON.parse(readFileSync(`${folder}/manifest.json`, 'utf8')))

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

  it('says so when the browser has no room', async () => {
    const cache = new MemoryCache()
    cache.full = true
    await expect(installPackage(BASE, { cache, fetch: folderFetch() })).rejects.toMatchObject({
      code: 'storage-full',
    })
  })

  it('reads a folder, which then loads from its made-up address', async () => {
    const cache = new MemoryCache()
    const { base } = await installFolder(files, 'http://studio.test', { cache })
    expect(base).toBe('http://studio.test/.anyflow-local/tiny-fixture/')
    const never = () => Promise.reject(new Error('nothing may be fetched'))
    expect((await loadPackage(base, { cache, fetch: never })).files.size).toBe(8)
    cache.files.clear()
    await expect(loadPackage(base, { cache, fetch: never })).rejects.toThrow(/Add the model's folder again/)
  })

  it('names what is wrong with a folder', async () => {
    const cache = new MemoryCache()
    const install = (chosen: typeof files) => installFolder(chosen, 'http://studio.test', { cache })
    await expect(install(files.slice(0, 0))).rejects.toThrow(/no manifest\.json/)
    await expect(install(files.filter(({ path }) => !path.endsWith('step.onnx')))).rejects.toThrow(
      /step\.onnx is not in the folder/,
    )
    const damaged = files.map((file) =>
      file.path.endsWith('vocab.txt') ? { ...file, content: new Blob(['x']) } : file,
    )
    await expect(install(damaged)).rejects.toThrow(/vocab\.txt is damaged/)
    expect(cache.manifests.texts.size).toBe(0)
  })

  it('leaves nothing of a folder that is incomplete, and all of what was there before', async () => {
    const cache = new MemoryCache()
    const install = (chosen: typeof files) => installFolder(chosen, 'http://studio.test', { cache })
    const incomplete = files.filter(({ path }) => !path.endsWith('step.onnx'))
    await expect(install(incomplete)).rejects.toThrow(/step\.onnx/)
    expect(cache.files.size).toBe(0)
    await install(files)
    await expect(install(incomplete)).rejects.toThrow(/step\.onnx/)
    expect(await installedShare(manifest, cache)).toBe(1)
  })

  it('an update lets go of what only the version before it had', async () => {
    const cache = new MemoryCache()
    await installPackage(BASE, { cache, fetch: folderFetch() })
    const old = 'f'.repeat(64)
    const text = cache.manifests.texts.get(BASE)!
    cache.manifests.texts.set(BASE, text.replace('{', `{"before":"${old}",`))
    cache.files.set(old, new Uint8Array(1))
    await installPackage(BASE, { cache, fetch: folderFetch() })
    expect(cache.files.has(old)).toBe(false)
    expect(await installedShare(manifest, cache)).toBe(1)
    expect(cache.manifests.texts.get(BASE)).toBe(text)
  })

  it('deletes a package also when its manifest, or another, cannot be read', async () => {
    const cache = new MemoryCache()
    await installPackage(BASE, { cache, fetch: folderFetch() })
    const shared = manifest.files[0]!.sha256
    cache.manifests.texts.set('http://other/', `not JSON, but it names ${shared}`)
    await removePackage(BASE, cache)
    expect([...cache.files.keys()]).toEqual([shared])
    await removePackage('http://other/', cache)
    expect(cache.files.size).toBe(0)
  })

  it('deletes a package, but not what another one uses too', async () => {
    const cache = new MemoryCache()
    await installPackage(BASE, { cache, fetch: folderFetch() })
    const { base } = await installFolder(files, 'http://studio.test', { cache })
    await removePackage(BASE, cache)
    expect(await installedShare(manifest, cache)).toBe(1)
    await removePackage(base, cache)
    expect(cache.files.size).toBe(0)
    expect(cache.manifests.texts.size).toBe(0)
  })
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
