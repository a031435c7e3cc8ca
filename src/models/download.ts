/** Fetching one file with its bytes counted as they arrive. */

import { AbortedError, ModelError } from '../errors'

/** The part of `fetch` that is used, so that Node and tests can read from elsewhere. */
export type Fetch = (
  url: string,
  init?: Pick<RequestInit, 'signal' | 'cache' | 'headers'>,
) => Promise<Response>

export interface DownloadOptions {
  readonly fetch: Fetch
  /** How the browser's own HTTP cache takes part. */
  readonly httpCache: RequestCache
  readonly signal?: AbortSignal | undefined
  /** Size to expect; 0 when unknown. */
  readonly expectedBytes: number
  /** Bytes of this file so far. */
  readonly onBytes?: (loaded: number) => void
}

/**
 * Downloads a file.
 * @param name how messages call it.
 * @throws ModelError `missing-file`, `network` or `wrong-size`; AbortedError.
 */
export async function download(
  url: string,
  name: string,
  options: DownloadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { signal } = options
  let response: Response
  try {
    response = await options.fetch(url, { signal: signal ?? null, cache: options.httpCache })
  } catch (error) {
    if (signal?.aborted) throw new AbortedError()
    throw unreachable(name, url, error)
  }
  if (response.status >= 500) throw serverFault(response, name)
  // Single-page servers answer a missing file with their start page.
  if (!response.ok || response.headers.get('content-type')?.startsWith('text/html')) {
    throw missingFile(response, url, name)
  }
  try {
    return await readBody(response, name, options)
  } catch (error) {
    if (signal?.aborted) throw new AbortedError()
    throw error instanceof ModelError ? error : unreachable(name, url, error, true)
  }
}

/** What a server without the file answered, in words. */
export function missingFile(response: Response, url: string, name: string): ModelError {
  if (response.ok) {
    return new ModelError(
      'missing-file',
      `The model's file ${name} is missing: ${url} is a web page. Check the model's address, or choose another model.`,
    )
  }
  return new ModelError(
    'missing-file',
    `The model's file ${name} could not be loaded (HTTP ${response.status} from ${url}). ` +
      'Check that the package is complete, or choose another model.',
  )
}

/** The server is there, and cannot answer now. */
function serverFault(response: Response, name: string): ModelError {
  return new ModelError(
    'network',
    `The model's file ${name} could not be downloaded: its server has a fault (HTTP ${response.status}). Try again later.`,
  )
}

/**
 * The network failed, for people. Browsers do not tell a page whether another site only forbade it to look.
 * @param answered the site did let this page read a part of the file
 */
export function unreachable(name: string, url: string, cause: unknown, answered = false): ModelError {
  const { origin } = new URL(url)
  const page = (globalThis.location as Location | undefined)?.origin
  const advice =
    answered || page === undefined || page === origin
      ? 'Check the network, then load the model again; what has arrived is kept.'
      : `Check the address and the network. If they are right, ${origin} does not let other sites read its files: it must ` +
        `send Access-Control-Allow-Origin: ${page} (or *). What has arrived is kept.`
  return new ModelError(
    'network',
    `The model's file ${name} could not be downloaded: the connection failed. ${advice}`,
    { cause },
  )
}

async function readBody(
  response: Response,
  name: string,
  options: DownloadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { expectedBytes, onBytes } = options
  if (!response.body) return new Uint8Array(await response.arrayBuffer())
  const parts: Uint8Array[] = []
  let target = new Uint8Array(expectedBytes)
  let loaded = 0
  const reader = response.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (expectedBytes > 0) {
      if (loaded + value.length > expectedBytes) {
        await reader.cancel()
        throw wrongSize(name, expectedBytes, `more than ${expectedBytes}`)
      }
      target.set(value, loaded)
    } else {
      parts.push(value)
    }
    loaded += value.length
    onBytes?.(loaded)
  }
  if (expectedBytes > 0 && loaded !== expectedBytes) throw wrongSize(name, expectedBytes, String(loaded))
  if (expectedBytes === 0) {
    target = new Uint8Array(loaded)
    let offset = 0
    for (const part of parts) {
      target.set(part, offset)
      offset += part.length
    }
  }
  return target
}

/** The file is not the one that the manifest means. */
export function wrongSize(name: string, expected: number, got: string): ModelError {
  return new ModelError(
    'wrong-size',
    `The model's file ${name} has ${got} bytes where the manifest says ${expected}. ` +
      'The package is incomplete or damaged: download or export it again.',
  )
}
