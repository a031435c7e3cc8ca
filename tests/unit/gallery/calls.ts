import type { GalleryCalls } from '../../../src/gallery/protocol'
import { Transferred, type Handlers } from '../../../src/worker/rpc'

/** Calls a handler as the worker would. */
export async function call<K extends keyof GalleryCalls>(
  handlers: Handlers<GalleryCalls>,
  name: K,
  args: GalleryCalls[K]['args'],
): Promise<GalleryCalls[K]['result']> {
  const context = { signal: new AbortController().signal, progress: () => undefined }
  const result: unknown = await handlers[name](args, context)
  return (result instanceof Transferred ? result.value : result) as GalleryCalls[K]['result']
}
