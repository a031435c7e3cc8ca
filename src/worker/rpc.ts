/** Typed calls over a worker: the caller's side and the server's side. */

import type { LoadProgress } from '../engine/types'
import { deserialiseError, serialiseError, StudioError } from '../errors'
import type { CallMessage, CallTable, FromWorker, PreviewState, ToWorker } from './protocol'

/** The part of `Worker` that is used, so that tests can pass a message port. */
export type WorkerLike = Pick<Worker, 'postMessage' | 'terminate' | 'addEventListener'>

interface Pending {
  resolve(value: unknown): void
  reject(error: unknown): void
  readonly onProgress: ((progress: LoadProgress) => void) | undefined
}

export interface CallOptions {
  readonly transfer?: Transferable[]
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Calls a worker; a promise for every call. */
export class RpcClient<C extends CallTable<C>> {
  private readonly pending = new Map<number, Pending>()
  private nextId = 1
  private ended: StudioError | undefined

  constructor(
    private readonly worker: WorkerLike,
    private readonly onPreview: (state: PreviewState) => void = () => undefined,
  ) {
    worker.addEventListener('message', (event) => {
      this.receive((event as MessageEvent<FromWorker>).data)
    })
    worker.addEventListener('error', (event) => {
      const detail = event.message || 'it could not be started'
      this.end(new StudioError('internal', `A worker of the app failed: ${detail}. Reload the page.`))
    })
  }

  call<K extends keyof C & string>(
    name: K,
    args: C[K]['args'],
    options: CallOptions = {},
  ): Promise<C[K]['result']> {
    if (this.ended) return Promise.reject(this.ended)
    const id = this.nextId++
    const { signal } = options
    const promise = new Promise<C[K]['result']>((resolve, reject) => {
      this.pending.set(id, { resolve, reject, onProgress: options.onProgress })
    })
    const message = { type: 'call', id, name, args } as unknown as ToWorker<C>
    this.worker.postMessage(message, options.transfer ?? [])
    if (signal) {
      const abort = (): void => this.worker.postMessage({ type: 'abort', id } satisfies ToWorker<C>)
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort, { once: true })
      const forget = (): void => signal.removeEventListener('abort', abort)
      promise.then(forget, forget)
    }
    return promise
  }

  /** Rejects everything in flight and every later call, and ends the worker. */
  end(error: StudioError): void {
    if (this.ended) return
    this.ended = error
    for (const pending of this.pending.values()) pending.reject(error)
    this.pending.clear()
    this.worker.terminate()
  }

  private receive(message: FromWorker): void {
    if (message.type === 'preview') {
      this.onPreview(message.state)
      return
    }
    const pending = this.pending.get(message.id)
    if (!pending) return
    if (message.type === 'load-progress') {
      pending.onProgress?.(message.progress)
      return
    }
    this.pending.delete(message.id)
    if (message.type === 'error') pending.reject(deserialiseError(message.error))
    else pending.resolve(message.value)
  }
}

/** What a handler is given besides its arguments. */
export interface CallContext {
  readonly signal: AbortSignal
  readonly progress: (progress: LoadProgress) => void
}

/** A result whose buffers move instead of being copied. */
export class Transferred<T> {
  constructor(
    readonly value: T,
    readonly transfer: Transferable[],
  ) {}
}

/** One function a call. */
export type Handlers<C extends CallTable<C>> = {
  [K in keyof C & string]: (
    args: C[K]['args'],
    context: CallContext,
  ) => Promise<C[K]['result'] | Transferred<C[K]['result']>> | C[K]['result'] | Transferred<C[K]['result']>
}

/** The worker's own scope, or a port. */
export interface Scope {
  postMessage(message: unknown, transfer: Transferable[]): void
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void
}

/** Answers calls from the page. Whatever a handler throws crosses as `{ name, code, message }`. */
export function serveRpc<C extends CallTable<C>>(scope: Scope, handlers: Handlers<C>): void {
  const running = new Map<number, AbortController>()
  const send = (message: FromWorker, transfer: Transferable[] = []): void =>
    scope.postMessage(message, transfer)

  const answer = async ({ id, name, args }: CallMessage<C>): Promise<void> => {
    const controller = new AbortController()
    running.set(id, controller)
    try {
      const result = await handlers[name](args, {
        signal: controller.signal,
        progress: (progress) => send({ type: 'load-progress', id, progress }),
      })
      if (result instanceof Transferred) send({ type: 'result', id, value: result.value }, result.transfer)
      else send({ type: 'result', id, value: result })
    } catch (error) {
      send({ type: 'error', id, error: serialiseError(error) })
    } finally {
      running.delete(id)
    }
  }

  scope.addEventListener('message', (event) => {
    const message = event.data as ToWorker<C>
    if (message.type === 'abort') running.get(message.id)?.abort()
    else void answer(message)
  })
}
