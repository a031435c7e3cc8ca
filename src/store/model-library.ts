import { createStore, type StoreApi } from 'zustand/vanilla'

import type { MemoryNeed } from '../engine/memory'
import { AbortedError } from '../errors'
import type { GalleryStorage } from '../gallery/client'
import { type FileCache, noCache } from '../models/file-cache'
import type { FolderFile, FolderPackage, InstallProgress } from '../models/install'
import type { Manifest } from '../models/manifest'
import { isLocal, isPending } from '../models/stored-manifests'
import { fetchIndex, packageUrl } from './catalog'
import type { ModelStore } from './model'
import type { ModelSpeed, SpeedLog } from './model-speed'

/** Reading manifests is not needed to start, and comes with the first look at the models. */
const installing = () => import('../models/install')
const reading = () => import('../models/package')
const computing = () => import('../engine/memory')

/** A package that this site serves or that this browser has. */
export interface ModelEntry {
  /** Absolute URL of its folder, with a trailing slash. */
  readonly base: string
  /** What `?model=` says to load it. */
  readonly path: string
  /** Absent while it cannot be read. */
  readonly manifest: Manifest | undefined
  readonly problem: string | undefined
  /** Share of its bytes in this browser, 0..1; beginnings of files count. */
  readonly installed: number
  /** Size of all its files, bytes. */
  readonly bytes: number
  readonly memory: MemoryNeed | undefined
  readonly speed: ModelSpeed | undefined
  /** The site's own packages can be deleted from the browser, but not from the list. */
  readonly ofSite: boolean
}

export interface ModelLibraryState {
  readonly entries: readonly ModelEntry[]
  /** The package being downloaded or read, by its base. */
  readonly busy: { readonly base: string; readonly progress: InstallProgress | undefined } | undefined
  readonly problem: string | undefined
  /** A chosen folder with another version of a package that is here from a folder already: to replace it is a question. */
  readonly replacing: FolderPackage | undefined
}

export interface ModelLibraryHost {
  /** Where the app is served from, with a trailing slash. */
  readonly base: string
  href(): string
  openCache(): Promise<FileCache>
  /** Where the browser is asked to keep what is stored. */
  readonly gallery: Pick<GalleryStorage, 'persist'>
}

/** The packages: which there are, what they need, and how they come and go. */
export class ModelLibrary {
  readonly store: StoreApi<ModelLibraryState> = createStore<ModelLibraryState>()(() => ({
    entries: [],
    busy: undefined,
    problem: undefined,
    replacing: undefined,
  }))
  private opening: Promise<FileCache> | undefined
  private running: AbortController | undefined

  constructor(
    private readonly host: ModelLibraryHost,
    private readonly model: ModelStore,
    private readonly speeds: SpeedLog,
  ) {}

  /** True for a package that this browser has. One on another site is only here because a person added it. */
  async has(path: string): Promise<boolean> {
    const page = this.host.href()
    if (!URL.canParse(path, page)) return false
    const { manifests } = await this.cache()
    return (await manifests?.get(withSlash(new URL(path, page).href))) !== undefined
  }

  /** Reads the list again. */
  async refresh(): Promise<void> {
    const cache = await this.cache()
    // A link to one package leaves the index unread; without a network there may be none.
    const index = this.model.getState().index ?? (await fetchIndex(this.host.base).catch(() => undefined))
    const ids = index?.models ?? []
    const page = this.host.href()
    const site = ids.map((id) => ({ path: id, base: packageUrl(id, this.host.base, page) }))
    // The site's own are listed whatever the browser keeps.
    const stored = (await cache.manifests?.list().catch(() => [])) ?? []
    const others = stored
      .filter(({ base }) => !isPending(base) && !site.some((entry) => entry.base === base))
      .map(({ base }) => ({ base, path: pathOf(base, page) }))
    const entries: ModelEntry[] = []
    for (const { base, path } of [...site, ...others]) {
      const text = stored.find((other) => other.base === base)?.text
      entries.push(
        await this.describe(
          base,
          path,
          text,
          site.some((entry) => entry.base === base),
        ),
      )
    }
    this.store.setState({ entries })
  }

  /** Brings a whole package into this browser. What has arrived stays when it can go on later. */
  async download(base: string): Promise<void> {
    await this.work(base, async (cache, signal, onProgress) => {
      await (await installing()).installPackage(base, { cache, signal, onProgress })
      if (!this.find(base)?.ofSite) this.persist()
    })
  }

  /** Adds and downloads a package at an https address. */
  async addUrl(address: string): Promise<void> {
    const base = packageAddress(address)
    if (base === undefined) {
      this.store.setState({
        problem:
          'That is no address of a package. It starts with https:// and names the folder with manifest.json.',
      })
      return
    }
    await this.download(base)
  }

  /** Adds a package from a folder on this machine; asks first (`replacing`) where it would take another one's place. */
  async addFolder(files: readonly FolderFile[]): Promise<void> {
    this.store.setState({ replacing: undefined })
    await this.work('folder', async (cache, signal, onProgress) => {
      const { installFolder, readFolder } = await installing()
      const chosen = await readFolder(files, new URL(this.host.href()).origin)
      const there = await cache.manifests?.get(chosen.base)
      if (there !== undefined && there !== chosen.text) {
        this.store.setState({ replacing: chosen })
        return
      }
      await installFolder(chosen, { cache, signal, onProgress })
      this.persist()
    })
  }

  /** Answers whether the chosen folder takes the place of the package that is here. */
  async replace(yes: boolean): Promise<void> {
    const { replacing } = this.store.getState()
    this.store.setState({ replacing: undefined })
    if (!replacing || !yes) return
    await this.work(replacing.base, async (cache, signal, onProgress) => {
      await (await installing()).installFolder(replacing, { cache, signal, onProgress })
      this.persist()
    })
  }

  cancel(): void {
    this.running?.abort()
  }

  /** The base of the package that a request names; `undefined` before the site's list is known, and for a wrong address. */
  baseOf(model: string | undefined): string | undefined {
    const named = model ?? this.model.getState().index?.default
    if (named === undefined) return undefined
    const page = this.host.href()
    if (/^https?:/.test(named)) return withSlash(named)
    try {
      return packageUrl(named, this.host.base, page)
    } catch {
      return undefined
    }
  }

  /** Deletes a package from this browser. A loaded one goes on until the page is left. */
  async remove(base: string): Promise<void> {
    await this.attempt(async () => (await installing()).removePackage(base, await this.cache()))
    await this.refresh()
  }

  dismissProblem(): void {
    this.store.setState({ problem: undefined })
  }

  private cache(): Promise<FileCache> {
    return (this.opening ??= this.host.openCache().catch(() => {
      this.opening = undefined
      return noCache
    }))
  }

  private find(base: string): ModelEntry | undefined {
    return this.store.getState().entries.find((entry) => entry.base === base)
  }

  /** Somebody added a model: the browser is asked not to clear it away. The site's own come again by themselves. */
  private persist(): void {
    // Not waited for: some browsers ask the person.
    void this.host.gallery.persist().catch(() => false)
  }

  private async work(
    base: string,
    install: (
      cache: FileCache,
      signal: AbortSignal,
      onProgress: (progress: InstallProgress) => void,
    ) => Promise<void>,
  ): Promise<void> {
    if (this.store.getState().busy) return
    const controller = new AbortController()
    this.running = controller
    this.store.setState({ busy: { base, progress: undefined }, problem: undefined })
    await this.attempt(async () => {
      await install(await this.cache(), controller.signal, (progress) =>
        this.store.setState({ busy: { base, progress } }),
      )
    })
    this.store.setState({ busy: undefined })
    await this.refresh()
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (error instanceof AbortedError) return
      this.store.setState({ problem: error instanceof Error ? error.message : String(error) })
    }
  }

  private async describe(
    base: string,
    path: string,
    text: string | undefined,
    ofSite: boolean,
  ): Promise<ModelEntry> {
    const cache = await this.cache()
    const empty = { base, path, ofSite, installed: 0, bytes: 0, memory: undefined, speed: undefined }
    try {
      const [{ installedShare }, { loadManifest, readManifest }, { memoryNeed }] = await Promise.all([
        installing(),
        reading(),
        computing(),
      ])
      const manifest =
        text === undefined
          ? (await loadManifest(base, (url, init) => fetch(url, init), cache, undefined)).manifest
          : readManifest(text, base)
      return {
        ...empty,
        manifest,
        problem: undefined,
        installed: await installedShare(manifest, cache),
        bytes: manifest.files.reduce((sum, file) => sum + file.bytes, 0),
        memory: memoryNeed(manifest),
        speed: this.speeds.of(manifest.id),
      }
    } catch (error) {
      // Whatever became of the manifest here, the site has its own again.
      if (ofSite && text !== undefined) return this.describe(base, path, undefined, ofSite)
      return {
        ...empty,
        manifest: undefined,
        problem: error instanceof Error ? error.message : String(error),
      }
    }
  }
}

/** An address that a person typed, as a package's base; undefined unless it is https, or http on this machine. */
export function packageAddress(address: string): string | undefined {
  const trimmed = address.trim().replace(/manifest\.json$/, '')
  if (!URL.canParse(trimmed)) return undefined
  const url = new URL(trimmed)
  const safe =
    url.protocol === 'https:' ||
    (url.protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+)$/.test(url.hostname))
  return safe ? withSlash(url.href) : undefined
}

function withSlash(address: string): string {
  return address.endsWith('/') ? address : `${address}/`
}

/** How `?model=` names a package: short on this site, in full elsewhere. */
function pathOf(base: string, page: string): string {
  const url = new URL(base)
  return url.origin === new URL(page).origin || isLocal(base) ? url.pathname : base
}
