/** Which model packages this site serves: `models/index.json`. */
export interface ModelIndex {
  readonly default: string
  readonly models: readonly string[]
}

/** The index is missing or unreadable, or a link names a model that is not there. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError'
}

/** @throws CatalogError when the index cannot be fetched or has not the documented shape. */
export async function fetchIndex(base: string, signal?: AbortSignal): Promise<ModelIndex> {
  const url = `${base}models/index.json`
  let json: unknown
  try {
    const response = await fetch(url, signal ? { signal } : {})
    if (!response.ok) throw new Error(`the server answered ${response.status}`)
    json = await response.json()
  } catch (error) {
    if (signal?.aborted) throw error
    throw new CatalogError(
      `The list of models (${url}) could not be read: ${describe(error)}. ` +
        'Check the connection and try again; in a checkout, run "npm start" from the repository root.',
    )
  }
  if (!isIndex(json)) {
    throw new CatalogError(
      `The list of models (${url}) is damaged: it needs "default" and "models". Restore public/models/index.json.`,
    )
  }
  return json
}

function isIndex(json: unknown): json is ModelIndex {
  if (typeof json !== 'object' || json === null || !('default' in json) || !('models' in json)) return false
  const { default: id, models } = json
  return (
    typeof id === 'string' &&
    Array.isArray(models) &&
    models.every((m) => typeof m === 'string') &&
    models.includes(id)
  )
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Something with a slash or a scheme is a path to a package; anything else is an id from the index. */
export function isPackagePath(model: string): boolean {
  return /[/:]/.test(model)
}

/**
 * Resolves what `?model=` says to the package's folder.
 * @param page address of the page, which relative paths start from
 * @throws CatalogError for a package on another origin (a link must not make the page load foreign weights), or a path
 * that is no address
 */
export function packageUrl(model: string, base: string, page: string): string {
  if (!isPackagePath(model)) return new URL(`${base}models/${encodeURIComponent(model)}/`, page).href
  let url: URL
  try {
    url = new URL(model.endsWith('/') ? model : `${model}/`, page)
  } catch {
    throw new CatalogError(
      `"${model}" is not a model's address. Use a path on this site, such as /models/worlds-128/.`,
    )
  }
  if (url.origin !== new URL(page).origin) {
    throw new CatalogError(
      `The model at ${url.origin} is on another site, and a link may only name models on this one. ` +
        'Copy the package into public/models/ and use its path.',
    )
  }
  return url.href
}
