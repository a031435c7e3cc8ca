import { AbortedError } from '../errors'

/** What a promise gives, unless the signal fires first. @throws AbortedError */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new AbortedError())
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    // Awaited even when nobody waits for it any more: its failure is dealt with.
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
