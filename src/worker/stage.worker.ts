/** Entry of the stage worker. */

import type { FromWorker, StageCalls } from './protocol'
import { serveRpc } from './rpc'
import { Stage, stageHandlers } from './stage'

declare const self: DedicatedWorkerGlobalScope

const stage = new Stage((state) => {
  self.postMessage({ type: 'preview', state } satisfies FromWorker)
})
serveRpc<StageCalls>(self, stageHandlers(stage))
