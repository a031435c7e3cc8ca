/** Fetching one file of known size and hash, over as many connections as it takes. */

import { AbortedError, ModelError } from '../errors'
import { type Fetch, missingFile, unreachable, wrongSize } from './download'
import type { PartStore } from './parts'

export interface ResumeOptions {
  readonly fetch: Fetch
  /** SHA-256 that the file will have; names its beginning in `parts`. The caller checks it. */
  readonly hash: string
  readonly expectedBytes: number
  readonly parts?: PartStore | undefined
  readonly signal?: AbortSignal | undefined
  /** Bytes of this file so far; fewer again when a server made it start over. */
  readonly onBytes?: (loaded: number) => void
  /** Waits before the attempts after a connection that brought nothing, ms. */
  readonly retryDelays?: readonly number[]
}

/** A broken connection is tried again after these waits, ms; one that brought something starts the row anew. */
const RETRY_DELAYS = [300, 1000, 3000]

/** Bytes after which a part is kept. */
const PART_BYTES = 8 * 2 ** 20

/** Why a connection ended early. Anything else that is thrown is final. */
class Broken extends Error {}

/**
 * Downloads a file; after a broken connection, and after a closed tab where `parts` kept the beginning, by HTTP Range from where
 * it stopped. A server without ranges makes it start over.
 * @throws ModelError `missing-file`, `network` or `wrong-size`; AbortedError.
 */
export async function downloadResumable(
  url: string,
  name: string,
  options: ResumeOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { hash, expectedBytes, parts, signal, onBytes, retryDelays = RETRY_DELAYS } = options
  const target = new Uint8Array(expectedBytes)
  let loaded = 0
  let kept = 0
  const restart = async (): Promise<void> => {
    loaded = 0
    kept = 0
    await parts?.clear(hash)
  }
  const keep = async (): Promise<void> => {
    if (loaded === kept) return
    await parts?.append(hash, target.slice(kept, loaded))
    kept = loaded
  }

  for (const part of (await parts?.load(hash)) ?? []) {
    if (loaded + part.length > expectedBytes) {
      await restart()
      break
    }
    target.set(part, loaded)
    loaded += part.length
  }
  kept = loaded
  if (loaded > 0) onBytes?.(loaded)

  const receive = async (): Promise<void> => {
    const response = await connect(url, name, loaded, options)
    if (loaded > 0 && !continues(response, loaded)) await restart()
    // What the server cannot continue (416) is asked for from its start by the next attempt.
    if (response.status === 416) throw new Broken('the server has no such range')
    const reader = response.body?.getReader()
    if (!reader) throw new Broken('the answer has no body')
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw new Broken('the connection broke', { cause: error })
      })
      if (done) break
      if (loaded + value.length > expectedBytes) {
        await reader.cancel()
        throw wrongSize(name, expectedBytes, `more than ${expectedBytes}`)
      }
      target.set(value, loaded)
      loaded += value.length
      onBytes?.(loaded)
      if (loaded - kept >= PART_BYTES) await keep()
    }
    if (loaded < expectedBytes) throw wrongSize(name, expectedBytes, String(loaded))
  }

  let attempt = 0
  while (loaded < expectedBytes) {
    const before = loaded
    try {
      await receive()
    } catch (error) {
      if (signal?.aborted) {
        await keep()
        throw new AbortedError()
      }
      if (!(error instanceof Broken)) {
        // A server that forbids or misses the file now may have it again; what has arrived is still its beginning.
        if (error instanceof ModelError && error.code === 'missing-file') await keep()
        else await parts?.clear(hash)
        throw error
      }
      await keep()
      if (loaded > before) attempt = 0
      const delay = retryDelays[attempt++]
      if (delay === undefined) throw unreachable(name, url, error, loaded > 0)
      await wait(delay, signal)
    }
  }
  return target
}

async function connect(url: string, name: string, from: number, options: ResumeOptions): Promise<Response> {
  const { signal } = options
  let response: Response
  try {
    response = await options.fetch(url, {
      signal: signal ?? null,
      // Verified files have their own cache; a second copy would only take room and keep damaged ones.
      cache: 'no-store',
      ...(from > 0 ? { headers: { Range: `bytes=${from}-` } } : {}),
    })
  } catch (cause) {
    throw new Broken('the connection failed', { cause })
  }
  if (response.status === 416 && from > 0) return response
  // Overloaded servers recover; what is missing stays missing.
  if (response.status >= 500 || response.status === 429) throw new Broken(`HTTP ${response.status}`)
  if (!response.ok || response.headers.get('content-type')?.startsWith('text/html')) {
    throw missingFile(response, url, name)
  }
  return response
}

/** True when the answer goes on from byte `from`. */
function continues(response: Response, from: number): boolean {
  if (response.status !== 206) return false
  const range = response.headers.get('content-range')
  // Hidden from other sites unless the server exposes it; the hash decides in the end.
  return range === null || range.startsWith(`bytes ${from}-`)
}

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer)
      reject(new AbortedError())
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}
