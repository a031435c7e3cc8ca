/** Packages in this browser: installing without loading, from the network or a folder, and deleting. */

import { ModelError, StorageError, throwIfAborted } from '../errors'
import type { FileCache } from './cache'
import type { Fetch } from './download'
import type { Manifest } from './manifest'
import { fetchEntry, loadManifest, readManifest, verify } from './package'
import { localBase } from './stored-manifests'
import { deleteUnused, hashesOf, replaceManifest } from './unused'

export interface InstallProgress {
  readonly item: string
  readonly loadedBytes: number
  readonly totalBytes: number
}

export interface InstallOptions {
  readonly cache: FileCache
  readonly fetch?: Fetch
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: InstallProgress) => void
}

/** All listed files, including those that only some tasks need. */
function totalBytes(manifest: Manifest): number {
  return manifest.files.reduce((sum, file) => sum + file.bytes, 0)
}

/**
 * Brings a whole package into the cache, one file in memory at a time.
 * @param base absolute URL of the folder, with a trailing slash
 * @throws ModelError, AbortedError; what has arrived is kept. StorageError when the browser would not keep it.
 */
export async function installPackage(base: string, options: InstallOptions): Promise<Manifest> {
  const { cache, signal, onProgress } = options
  const fetch: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init))
  const { manifest, text } = await loadManifest(base, fetch, cache, signal)
  // First, so that a download that breaks off shows as begun; in an update last, so that the old one works until then.
  if ((await cache.manifests?.get(base)) === undefined) await cache.manifests?.put(base, text)
  const total = totalBytes(manifest)
  let done = 0
  for (const entry of manifest.files) {
    throwIfAborted(signal)
    const report = (_phase: string, loaded: number): void =>
      onProgress?.({ item: entry.path, loadedBytes: done + loaded, totalBytes: total })
    if (!(await cache.has?.(entry.sha256))) {
      await fetchEntry(entry, base, { fetch, cache, signal, report })
      await checkKept(cache, entry.sha256)
    }
    done += entry.bytes
    onProgress?.({ item: entry.path, loadedBytes: done, totalBytes: total })
  }
  await replaceManifest(base, text, cache)
  return manifest
}

/** A file of a folder that the user chose. */
export interface FolderFile {
  /** Relative to the chosen folder or above it, with slashes. */
  readonly path: string
  readonly content: Blob
}

/**
 * Brings a package from a folder into the cache.
 * @returns its made-up address and its manifest
 * @throws ModelError naming the file that is missing or wrong; StorageError when the browser would not keep it. Nothing is
 *   left behind then: a folder cannot go on by itself as a download can.
 */
export async function installFolder(
  files: readonly FolderFile[],
  origin: string,
  options: Omit<InstallOptions, 'fetch'>,
): Promise<{ base: string; manifest: Manifest }> {
  const manifestFile = files
    .filter(({ path }) => path === 'manifest.json' || path.endsWith('/manifest.json'))
    .sort((a, b) => a.path.length - b.path.length)[0]
  if (!manifestFile) {
    throw new ModelError(
      'missing-file',
      'The folder has no manifest.json. Choose the folder of one model package.',
    )
  }
  const folder = manifestFile.path.slice(0, -'manifest.json'.length)
  const text = await manifestFile.content.text()
  const manifest = readManifest(text, folder || 'the folder')
  try {
    await storeFolder(manifest, folder, files, options)
  } catch (error) {
    await deleteUnused(hashesOf(text), options.cache)
    throw error
  }
  const base = localBase(manifest.id, origin)
  await replaceManifest(base, text, options.cache)
  return { base, manifest }
}

async function storeFolder(
  manifest: Manifest,
  folder: string,
  files: readonly FolderFile[],
  { cache, signal, onProgress }: Omit<InstallOptions, 'fetch'>,
): Promise<void> {
  const total = totalBytes(manifest)
  let done = 0
  for (const entry of manifest.files) {
    throwIfAborted(signal)
    const file = files.find(({ path }) => path === folder + entry.path)
    if (!file) {
      throw new ModelError(
        'missing-file',
        `The model's file ${entry.path} is not in the folder. Copy the whole package.`,
      )
    }
    if (!(await cache.has?.(entry.sha256))) {
      const bytes = new Uint8Array(await file.content.arrayBuffer())
      await verify(entry, bytes)
      await cache.put(entry.sha256, bytes)
      await checkKept(cache, entry.sha256)
    }
    done += entry.bytes
    onProgress?.({ item: entry.path, loadedBytes: done, totalBytes: total })
  }
}

/** Which share of a package's bytes this browser has, 0..1. Parts of files do not count. */
export async function installedShare(manifest: Manifest, cache: FileCache): Promise<number> {
  let there = 0
  for (const { sha256, bytes } of manifest.files) if (await cache.has?.(sha256)) there += bytes
  const total = totalBytes(manifest)
  return total === 0 ? 1 : there / total
}

/** Deletes a package from the cache; files that another installed package uses too are kept. */
export async function removePackage(base: string, cache: FileCache): Promise<void> {
  const { manifests } = cache
  if (!manifests) return
  const own = await manifests.get(base)
  await manifests.delete(base)
  if (own !== undefined) await deleteUnused(hashesOf(own), cache)
}

/** A cache that cannot keep a file says nothing; here that is the whole point. */
async function checkKept(cache: FileCache, hash: string): Promise<void> {
  if (await cache.has?.(hash)) return
  throw new StorageError(
    'storage-full',
    "The browser's storage has no room for this model. Delete takes in the gallery or other models, then go on.",
  )
}
