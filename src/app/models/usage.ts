import type { Manifest } from '../../models/manifest'
import type { ModelEntry } from '../../store/model-library'

/** Whether a package is loaded: not, as it is listed, or as it was before another version took its place. */
export type Usage = 'none' | 'this' | 'another version'

/**
 * By where packages are: several may have one id.
 * @param wanted base of the package that the request names
 * @param loaded manifest of what is loaded; `undefined` while nothing is
 */
export function usageOf(
  { base, manifest }: Pick<ModelEntry, 'base' | 'manifest'>,
  wanted: string | undefined,
  loaded: Manifest | undefined,
): Usage {
  if (manifest === undefined || loaded === undefined || wanted !== base) return 'none'
  return JSON.stringify(manifest) === JSON.stringify(loaded) ? 'this' : 'another version'
}
