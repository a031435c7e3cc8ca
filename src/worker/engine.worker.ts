/** Entry of the engine worker. */

import { noCache, openFileCache } from '../models/cache'
import { engineHandlers } from './engine-service'
import type { EngineCalls } from './protocol'
import { serveRpc } from './rpc'

declare const self: DedicatedWorkerGlobalScope

const options = openFileCache()
  .catch(() => noCache)
  .then((cache) => ({ cache }))
serveRpc<EngineCalls>(self, engineHandlers(options))
