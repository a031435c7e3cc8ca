/** Loading a whole model package: manifest, then every file it needs, from the cache or the network, verified. */

import { ModelError, throwIfAborted } from '../errors'
import { type FileCache, noCache } from './cache'
import { announce, isClaimed } from './claims'
import { download, type Fetch } from './download'
import { sha256 } from './hash'
import { type FileEntry, type Manifest, parseManifest } from './manifest'
import { downloadResumable } from './resume'
import { isLocal } from './stored-manifests'

/** Bytes over all files of the package; `cached` of them did not cross the network. */
export interface PackageProgress {
  readonly phase: 'manifest' | 'download' | 'verify'
  readonly item: string
  readonly loadedBytes: number
  readonly totalBytes: number
  readonly cachedBytes: number
}

export interface PackageOptions {
  readonly fetch?: Fetch
  readonly cache?: FileCache
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: PackageProgress) => void) | undefined
}

/** A package in memory; every file in it has the hash that the manifest names. */
export interface ModelPackage {
  readonly manifest: Manifest
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>
}

/** Graphs that a take needs; the encoder is fetched when image or video input wants it. */
const NEEDED_GRAPHS = ['text', 'step', 'cache', 'decoder'] as const

type GraphName = keyof Manifest['graphs']

/**
 * @param baseUrl absolute URL of the package's folder.
 * @throws ModelError, AbortedError
 */
export async function loadPackage(baseUrl: string, options: PackageOptions = {}): Promise<ModelPackage> {
  const { signal, onProgress } = options
  onProgress?.({ phase: 'manifest', item: 'manifest.json', loadedBytes: 0, totalBytes: 0, cachedBytes: 0 })
  const base = folder(baseUrl)
  const { cache = noCache } = options
  const { manifest, text } = await loadManifest(base, fetchOf(options), cache, signal)
  // First, so that a download that breaks off shows as begun. What it brought stays, to go on from.
  const announced = await announce(cache, base, text)
  const files = await loadFiles(base, neededFiles(manifest), options)
  await announced.commit()
  return { manifest, files }
}

/**
 * The files of one graph that `loadPackage` left out, from the cache or the network, verified.
 * @param baseUrl absolute URL of the package's folder.
 * @throws ModelError, AbortedError
 */
export async function loadGraphFiles(
  baseUrl: string,
  manifest: Manifest,
  graph: GraphName,
  options: PackageOptions = {},
): Promise<ModelPackage['files']> {
  const base = folder(baseUrl)
  const files = filesOf(manifest, [graph])
  const { cache = noCache } = options
  // A package that was deleted or replaced while it is in use is not brought back.
  const claimed = await Promise.all(files.map(({ sha256: hash }) => isClaimed(cache, base, hash)))
  return loadFiles(base, files, claimed.every(Boolean) ? options : { ...options, cache: noCache })
}

function folder(url: string): string {
  return url.endsWith('/') ? url : `${url}/`
}

function fetchOf(options: PackageOptions): Fetch {
  return options.fetch ?? ((url, init) => globalThis.fetch(url, init))
}

async function loadFiles(
  base: string,
  entries: readonly FileEntry[],
  options: PackageOptions,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const { signal, onProgress, cache = noCache } = options
  const fetch = fetchOf(options)
  const totalBytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  const files = new Map<string, Uint8Array<ArrayBuffer>>()
  let loadedBytes = 0
  let cachedBytes = 0
  for (const entry of entries) {
    throwIfAborted(signal)
    const report = (phase: PackageProgress['phase'], ofThis: number): void =>
      onProgress?.({ phase, item: entry.path, loadedBytes: loadedBytes + ofThis, totalBytes, cachedBytes })
    const { bytes, cached } = await fetchEntry(entry, base, { fetch, cache, signal, report })
    files.set(entry.path, bytes)
    if (cached) cachedBytes += entry.bytes
    loadedBytes += entry.bytes
    onProgress?.({ phase: 'download', item: entry.path, loadedBytes, totalBytes, cachedBytes })
  }
  return files
}

export interface FetchEntryOptions {
  readonly fetch: Fetch
  readonly cache: FileCache
  readonly signal?: AbortSignal | undefined
  /** Called as the file comes, with its bytes so far. */
  readonly report?: (phase: 'download' | 'verify', loaded: number) => void
}

/**
 * One file of a package, verified: from the cache, or from the network into the cache.
 * @throws ModelError, AbortedError
 */
export async function fetchEntry(
  entry: FileEntry,
  base: string,
  { fetch, cache, signal, report }: FetchEntryOptions,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; cached: boolean }> {
  const stored = await fromCache(cache, entry)
  if (stored) return { bytes: stored, cached: true }
  if (isLocal(base)) throw goneFromHere(entry.path)
  report?.('download', 0)
  const bytes = await downloadResumable(new URL(entry.path, base).href, entry.path, {
    fetch,
    signal,
    hash: entry.sha256,
    parts: cache.parts,
    expectedBytes: entry.bytes,
    onBytes: (loaded) => report?.('download', loaded),
  })
  report?.('verify', entry.bytes)
  // Right or wrong, the parts have served.
  await cache.parts?.clear(entry.sha256)
  await verify(entry, bytes)
  await cache.put(entry.sha256, bytes)
  return { bytes, cached: false }
}

/**
 * The manifest at an address: the server's, or without a network the one that was stored.
 * @throws ModelError, AbortedError
 */
export async function loadManifest(
  base: string,
  fetch: Fetch,
  cache: FileCache,
  signal: AbortSignal | undefined,
): Promise<{ manifest: Manifest; text: string }> {
  const stored = async (): Promise<{ manifest: Manifest; text: string } | undefined> => {
    const text = await cache.manifests?.get(base)
    return text === undefined ? undefined : { manifest: readManifest(text, base), text }
  }
  // A package from a folder has no server to ask.
  if (isLocal(base)) {
    const local = await stored()
    if (local) return local
    throw goneFromHere('manifest.json')
  }
  try {
    const bytes = await download(new URL('manifest.json', base).href, 'manifest.json', {
      fetch,
      signal,
      // Ask the server whether it changed: it names the hashes of everything else.
      httpCache: 'no-cache',
      expectedBytes: 0,
    })
    const text = new TextDecoder().decode(bytes)
    return { manifest: readManifest(text, base), text }
  } catch (error) {
    const offline = error instanceof ModelError && error.code === 'network' ? await stored() : undefined
    if (offline) return offline
    throw error
  }
}

function goneFromHere(name: string): ModelError {
  return new ModelError(
    'missing-file',
    `The model's file ${name} is not in this browser any more. Add the model's folder again under Models.`,
  )
}

/** @throws ModelError `bad-manifest` or `wrong-format` */
export function readManifest(text: string, base: string): Manifest {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new ModelError(
      'bad-manifest',
      `The model's manifest.json at ${base} is not JSON. Export the package again, or choose another model.`,
      { cause },
    )
  }
  return parseManifest(json)
}

/** The files that every take needs. */
export function neededFiles(manifest: Manifest): FileEntry[] {
  return filesOf(manifest, NEEDED_GRAPHS, [manifest.text.vocab])
}

/** Every listed file that the graphs refer to, and others by path; each once, smallest first so that errors show early. */
function filesOf(
  manifest: Manifest,
  graphs: readonly GraphName[],
  others: readonly string[] = [],
): FileEntry[] {
  const paths = new Set<string>(others)
  for (const name of graphs) {
    const spec = manifest.graphs[name]
    if (!spec) continue
    paths.add(spec.file)
    for (const path of spec.externalData) paths.add(path)
  }
  return manifest.files.filter((entry) => paths.has(entry.path)).sort((a, b) => a.bytes - b.bytes)
}

async function fromCache(cache: FileCache, entry: FileEntry): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = await cache.get(entry.sha256)
  if (!bytes) return undefined
  if (bytes.byteLength === entry.bytes && (await sha256(bytes)) === entry.sha256) return bytes
  await cache.delete(entry.sha256)
  return undefined
}

/** @throws ModelError `wrong-hash` */
export async function verify(entry: FileEntry, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const hash = await sha256(bytes)
  if (hash === entry.sha256) return
  throw new ModelError(
    'wrong-hash',
    `The model's file ${entry.path} is damaged: its SHA-256 is ${hash.slice(0, 12)}..., and the manifest says ` +
      `${entry.sha256.slice(0, 12)}.... Download or export the package again; this file was not kept.`,
  )
}
