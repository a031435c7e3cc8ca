/**
 * Which package a stored file belongs to. A package's manifest is stored before its files, so that nothing lies here that
 * no list shows; of an update both manifests are there until the new version is whole. What no manifest names is deleted.
 */

import type { FileCache } from './cache'
import { type ManifestStore, pendingOf } from './stored-manifests'

/** SHA-256 sums in a manifest of any format, whole or not: what cannot be read must not lose files of others, nor keep its own. */
export function hashesIn(manifest: string): Set<string> {
  return new Set(manifest.match(/\b[0-9a-f]{64}\b/g) ?? [])
}

/** A package whose files are coming. */
export interface Announced {
  /** This browser had no version of it before. */
  readonly isNew: boolean
  /** All files are there: this version is the package from now on, and the files of another are deleted. */
  commit(): Promise<void>
  /** As if it had not been announced. @param added files that came since, which are deleted */
  withdraw(added: readonly string[]): Promise<void>
}

/** Stores a manifest whose files are about to come. */
export async function announce(cache: FileCache, base: string, text: string): Promise<Announced> {
  const { manifests } = cache
  const before = await manifests?.get(base)
  const place = before === undefined ? base : pendingOf(base)
  if (before !== text) await manifests?.put(place, text)
  return {
    isNew: before === undefined,
    commit: async () => {
      if (!manifests) return
      const stale = [await manifests.get(base), await manifests.get(pendingOf(base))]
      if (stale[0] === text && stale[1] === undefined) return
      await manifests.put(base, text)
      await manifests.delete(pendingOf(base))
      // The package is here whatever becomes of this; the next sweep takes what this one leaves.
      await sweep(cache, manifests).catch(() => undefined)
    },
    withdraw: async (added) => {
      for (const hash of added) await forget(cache, hash)
      if (before !== text) await manifests?.delete(place)
    },
  }
}

/** True when a stored manifest of the package names the file, or there are no manifests here. */
export async function isClaimed(cache: FileCache, base: string, hash: string): Promise<boolean> {
  const { manifests } = cache
  if (!manifests) return true
  const texts = [await manifests.get(base), await manifests.get(pendingOf(base))]
  return texts.some((text) => text !== undefined && hashesIn(text).has(hash))
}

/** Deletes a package; files that another one uses too are kept. */
export async function removePackage(base: string, cache: FileCache): Promise<void> {
  const { manifests } = cache
  if (!manifests) return
  const own = [base, pendingOf(base)]
  // Files first: broken off in between, what is left is still listed.
  await sweep(cache, manifests, own)
  for (const place of own) await manifests.delete(place)
}

/**
 * Deletes every file and part that no manifest names. While one cannot be read, any unnamed file may be its own: then only
 * those go that the places left out name.
 * @param without places that do not count
 */
async function sweep(
  cache: FileCache,
  manifests: ManifestStore,
  without: readonly string[] = [],
): Promise<void> {
  const claimed = new Set<string>()
  const known = new Set<string>()
  let unreadable = false
  for (const { base, text } of await manifests.list()) {
    const counts = !without.includes(base)
    if (text === undefined) unreadable ||= counts
    else for (const hash of hashesIn(text)) (counts ? claimed : known).add(hash)
  }
  if (!unreadable) {
    for (const hash of (await cache.hashes?.()) ?? []) known.add(hash)
    for (const hash of (await cache.parts?.hashes()) ?? []) known.add(hash)
  }
  for (const hash of known) if (!claimed.has(hash)) await forget(cache, hash)
}

async function forget(cache: FileCache, hash: string): Promise<void> {
  await cache.parts?.clear(hash)
  await cache.delete(hash)
}
