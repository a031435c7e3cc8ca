/** Packages in this browser: installing without loading, from the network or a folder, and how much of one is here. */

import { AbortedError, ModelError, StorageError, throwIfAborted } from '../errors'
import type { FileCache } from './cache'
import { announce } from './claims'
import { type Fetch, wrongSize } from './download'
import type { FileEntry, Manifest } from './manifest'
import { fetchEntry, loadManifest, readManifest, verify } from './package'
import { localBase } from './stored-manifests'

export { removePackage } from './claims'

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
export function totalBytes(manifest: Manifest): number {
  return manifest.files.reduce((sum, file) => sum + file.bytes, 0)
}

/**
 * Brings a whole package into the cache, one file in memory at a time.
 * @param base absolute URL of the folder, with a trailing slash
 * @throws ModelError or AbortedError; where it can go on later, what has arrived is kept under its manifest, otherwise
 *   nothing of it. StorageError when the browser would not keep it.
 */
export async function installPackage(base: string, options: InstallOptions): Promise<Manifest> {
  const { cache, signal } = options
  const fetch: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init))
  const { manifest, text } = await loadManifest(base, fetch, cache, signal)
  const announced = await announce(cache, base, text)
  const added: string[] = []
  try {
    await installFiles(manifest, options, added, async (entry, report) => {
      await fetchEntry(entry, base, { fetch, cache, signal, report: (_phase, loaded) => report(loaded) })
    })
  } catch (error) {
    const resumes = canResume(error) && !(announced.isNew && (await keptBytes(manifest, cache)) === 0)
    if (!resumes) await announced.withdraw(added)
    throw error
  }
  await announced.commit()
  return manifest
}

/** A file of a folder that the user chose. */
export interface FolderFile {
  /** Relative to the chosen folder or above it, with slashes. */
  readonly path: string
  readonly content: Blob
}

/** A package as a folder on this machine. */
export interface FolderPackage {
  /** The made-up address it has once it is installed. */
  readonly base: string
  readonly manifest: Manifest
  readonly text: string
  readonly files: ReadonlyMap<string, Blob>
}

/** @throws ModelError naming what is missing or cannot be read */
export async function readFolder(files: readonly FolderFile[], origin: string): Promise<FolderPackage> {
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
  const contents = new Map<string, Blob>()
  for (const { path, bytes } of manifest.files) {
    const content = files.find((file) => file.path === folder + path)?.content
    if (!content) {
      throw new ModelError(
        'missing-file',
        `The model's file ${path} is not in the folder. Copy the whole package.`,
      )
    }
    if (content.size !== bytes) throw wrongSize(path, bytes, String(content.size))
    contents.set(path, content)
  }
  return { base: localBase(manifest.id, origin), manifest, text, files: contents }
}

/**
 * Brings a package from a folder into the cache, in place of one from another folder with the same id.
 * @throws ModelError naming the file that is wrong, AbortedError, or StorageError when the browser would not keep it; then
 *   nothing of it is kept, and one that was here before is still there
 */
export async function installFolder(
  { base, manifest, text, files }: FolderPackage,
  options: Omit<InstallOptions, 'fetch'>,
): Promise<void> {
  const { cache } = options
  const announced = await announce(cache, base, text)
  const added: string[] = []
  try {
    await installFiles(manifest, options, added, async (entry) => {
      const bytes = await readBlob(files.get(entry.path)!, entry.path)
      await verify(entry, bytes)
      await cache.put(entry.sha256, bytes)
    })
  } catch (error) {
    await announced.withdraw(added)
    throw error
  }
  await announced.commit()
}

/** Bytes of a package that this browser has, beginnings of files included. */
export async function keptBytes(manifest: Manifest, cache: FileCache): Promise<number> {
  let kept = 0
  for (const { sha256, bytes } of manifest.files) {
    if (await cache.has?.(sha256)) kept += bytes
    // A beginning that is as long as its file is not verified yet, so the file is not whole.
    else kept += Math.min((await cache.parts?.bytes(sha256)) ?? 0, Math.max(0, bytes - 1))
  }
  return kept
}

/** Which share of a package's bytes this browser has, 0..1; 1 only where all files are whole. */
export async function installedShare(manifest: Manifest, cache: FileCache): Promise<number> {
  const total = totalBytes(manifest)
  return total === 0 ? 1 : (await keptBytes(manifest, cache)) / total
}

/** Brings what is not here yet. @param added hashes of what came, and of what was under way when it failed */
async function installFiles(
  manifest: Manifest,
  { cache, signal, onProgress }: InstallOptions,
  added: string[],
  bring: (entry: FileEntry, report: (loaded: number) => void) => Promise<void>,
): Promise<void> {
  const total = totalBytes(manifest)
  let done = 0
  for (const entry of manifest.files) {
    throwIfAborted(signal)
    const report = (loaded: number): void =>
      onProgress?.({ item: entry.path, loadedBytes: done + loaded, totalBytes: total })
    if (!(await cache.has?.(entry.sha256))) {
      added.push(entry.sha256)
      await bring(entry, report)
      await checkKept(cache, entry.sha256)
    }
    report(entry.bytes)
    done += entry.bytes
  }
}

async function readBlob(content: Blob, path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await content.arrayBuffer())
  } catch (cause) {
    throw new ModelError(
      'missing-file',
      `The model's file ${path} could not be read: it was moved or changed. Choose the folder again.`,
      { cause },
    )
  }
}

/** The server has the rest, now or later. */
function canResume(error: unknown): boolean {
  return (
    error instanceof AbortedError ||
    (error instanceof ModelError && (error.code === 'network' || error.code === 'missing-file'))
  )
}

/** A cache that cannot keep a file says nothing; here that is the whole point. */
async function checkKept(cache: FileCache, hash: string): Promise<void> {
  if (await cache.has?.(hash)) return
  throw new StorageError(
    'storage-full',
    "The browser's storage has no room for this model; what had come of it was deleted again. " +
      'Delete takes in the gallery or other models, then add it again.',
  )
}
