/** Files that no package refers to any more: an update, a broken install or a deletion must not leave them behind. */

import type { FileCache } from './cache'

/**
 * The SHA-256 of every file that a manifest names. Read off the text, so that a manifest which this version cannot parse still
 * keeps its files, and can still be deleted with them.
 */
export function hashesOf(text: string): Set<string> {
  return new Set(text.match(/\b[0-9a-f]{64}\b/g) ?? [])
}

/** Deletes those files, whole or begun, that no stored manifest names. */
export async function deleteUnused(hashes: Iterable<string>, cache: FileCache): Promise<void> {
  const wanted = new Set<string>()
  for (const { text } of (await cache.manifests?.list()) ?? []) {
    for (const hash of hashesOf(text)) wanted.add(hash)
  }
  for (const hash of hashes) {
    if (wanted.has(hash)) continue
    await cache.parts?.clear(hash)
    await cache.delete(hash)
  }
}

/** Stores a package's manifest, and deletes what only the one before it had named. */
export async function replaceManifest(base: string, text: string, cache: FileCache): Promise<void> {
  const before = await cache.manifests?.get(base)
  await cache.manifests?.put(base, text)
  if (before !== undefined && before !== text) await deleteUnused(hashesOf(before), cache)
}
