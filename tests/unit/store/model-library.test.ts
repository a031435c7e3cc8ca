import { readdirSync, readFileSync } from 'node:fs'

import { beforeEach, describe, expect, it, vi } from 'vitest'

import { usageOf } from '../../../src/app/models/usage'
import type { FolderFile } from '../../../src/models/install'
import { pendingOf } from '../../../src/models/stored-manifests'
import { createModelStore } from '../../../src/store/model'
import { ModelLibrary } from '../../../src/store/model-library'
import { SpeedLog } from '../../../src/store/model-speed'
import { MemoryCache } from '../support/memory-cache'
import { folderFetch } from '../support/package'
import { pathOf } from '../support/vectors'

const PAGE = 'https://studio.test/app/?model=x'
const SITE = 'https://studio.test/app/models/tiny/'
const ADDED = 'https://models.test/tiny/'
const LOCAL = 'https://studio.test/.anyflow-local/tiny-fixture/'

const folder = pathOf('../../fixtures/tiny')
const files: FolderFile[] = readdirSync(folder).map((name) => ({
  path: `tiny/${name}`,
  content: new Blob([readFileSync(`${folder}/${name}`)]),
}))
/** The package from another day. */
const newer = files.map((file) =>
  file.path.endsWith('manifest.json')
    ? { ...file, content: new Blob([manifestText().replace('2026-11-23', '2026-12-24')]) }
    : file,
)
function manifestText(): string {
  return readFileSync(`${folder}/manifest.json`, 'utf8')
}

function setUp() {
  const cache = new MemoryCache()
  const persist = vi.fn(() => Promise.resolve(true))
  const model = createModelStore()
  model.setState({ index: { default: 'tiny', models: ['tiny'] } })
  const host = {
    base: '/app/',
    href: () => PAGE,
    openCache: () => Promise.resolve(cache),
    gallery: { persist },
  }
  const library = new ModelLibrary(
    host,
    model,
    new SpeedLog({ getItem: () => null, setItem: () => undefined }),
  )
  return { cache, persist, library, state: () => library.store.getState() }
}

beforeEach(() => {
  const read = folderFetch()
  vi.stubGlobal('fetch', (url: string, init?: RequestInit) =>
    read(url.replace(/^.*\/tiny\//, 'http://models.test/tiny/'), init),
  )
  return () => void vi.unstubAllGlobals()
})

describe('adding a model', () => {
  it('shows at once, with progress, and asks the browser to keep it', async () => {
    const { library, state, persist } = setUp()
    const seen: unknown[] = []
    library.store.subscribe(({ busy }) => seen.push(busy && { base: busy.base, item: busy.progress?.item }))
    await library.addUrl(ADDED)
    expect(seen[0]).toEqual({ base: ADDED, item: undefined })
    expect(seen).toContainEqual({ base: ADDED, item: 'decoder.bin' })
    expect(state().busy).toBeUndefined()
    expect(state().entries.map(({ base, installed }) => [base, installed])).toEqual([
      [SITE, 1],
      [ADDED, 1],
    ])
    expect(persist).toHaveBeenCalledOnce()
  })

  it('can be stopped, and then goes on', async () => {
    const { library, state, persist } = setUp()
    const stop = library.store.subscribe(({ busy }) => {
      if (busy?.progress?.item === 'decoder.bin') library.cancel()
    })
    await library.addUrl(ADDED)
    stop()
    const added = state().entries.find(({ base }) => base === ADDED)!
    expect(added.installed).toBeGreaterThan(0)
    expect(added.installed).toBeLessThan(1)
    expect(state().problem).toBeUndefined()
    expect(persist).not.toHaveBeenCalled()
    await library.download(ADDED)
    expect(state().entries.find(({ base }) => base === ADDED)!.installed).toBe(1)
  })

  it("does not ask to keep the site's own, which comes again by itself", async () => {
    const { library, persist } = setUp()
    await library.refresh()
    await library.download(SITE)
    expect(persist).not.toHaveBeenCalled()
  })

  it('from a folder asks before it takes the place of another version', async () => {
    const { library, state, cache } = setUp()
    await library.addFolder(files)
    await library.addFolder(files)
    expect(state().replacing, 'the same again is no question').toBeUndefined()

    await library.addFolder(newer)
    expect(state().replacing?.manifest.provenance.date).toBe('2026-12-24')
    await library.replace(false)
    expect(state().replacing).toBeUndefined()
    expect(cache.manifests.texts.get(LOCAL)).toBe(manifestText())

    await library.addFolder(newer)
    await library.replace(true)
    expect(state()).toMatchObject({ replacing: undefined, problem: undefined })
    const entry = state().entries.find(({ base }) => base === LOCAL)!
    expect(entry.manifest?.provenance.date).toBe('2026-12-24')
    expect(entry.installed).toBe(1)
  })
})

describe('the list', () => {
  it('tells packages with one id apart by where they are', async () => {
    const { library, state } = setUp()
    await library.addFolder(files)
    const [site, local] = state().entries
    expect(site!.manifest!.id).toBe(local!.manifest!.id)
    for (const { path, base } of [site!, local!]) expect(library.baseOf(path)).toBe(base)
    expect(library.baseOf(undefined)).toBe(SITE)
  })

  it('tells a loaded package from the version that has taken its place', async () => {
    const { library, state } = setUp()
    await library.addFolder(files)
    const [site, local] = state().entries
    const loaded = local!.manifest
    expect(usageOf(local!, LOCAL, loaded)).toBe('this')
    expect(usageOf(site!, LOCAL, loaded), 'one id, another place').toBe('none')
    expect(usageOf(local!, LOCAL, undefined)).toBe('none')
    await library.addFolder(newer)
    await library.replace(true)
    expect(
      usageOf(
        state().entries.find(({ base }) => base === LOCAL)!,
        LOCAL,
        loaded,
      ),
    ).toBe('another version')
  })

  it("shows the site's own where the browser cannot list what it keeps, and what it cannot read", async () => {
    const { library, state, cache } = setUp()
    await cache.manifests.put(ADDED, manifestText())
    cache.manifests.list = () => Promise.reject(new Error('the disk has a fault'))
    await library.refresh()
    expect(state().entries.map(({ base }) => base)).toEqual([SITE])
    cache.manifests.get = () => Promise.resolve(undefined)
    cache.manifests.list = () => Promise.resolve([{ base: LOCAL, text: undefined }])
    await library.refresh()
    expect(state().entries[1]).toMatchObject({ base: LOCAL, ofSite: false, manifest: undefined })
    expect(state().entries[1]!.problem).toContain("Add the model's folder again")
  })

  it("has no version on its way, and the site's own whatever is stored of it", async () => {
    const { library, state, cache } = setUp()
    await cache.manifests.put(pendingOf(ADDED), manifestText())
    await cache.manifests.put(SITE, 'damaged')
    await cache.manifests.put(ADDED, 'damaged')
    await library.refresh()
    expect(state().entries.map(({ base, manifest, problem }) => [base, manifest?.id, problem])).toEqual([
      [SITE, 'tiny-fixture', undefined],
      [ADDED, undefined, expect.stringContaining('not JSON')],
    ])
    await library.remove(ADDED)
    expect(state().entries).toHaveLength(1)
    expect([...cache.manifests.texts.keys()]).toEqual([SITE])
  })
})
