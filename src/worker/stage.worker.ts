/** Entry of the stage worker. */

import type { FromWorker, StageCalls } from './protocol'
import { serveRpc } from './rpc'
import { Stage } from './stage'
import { stageHandlers } from './stage-service'

declare const self: DedicatedWorkerGlobalScope

const stage = new Stage((state) => {
  self.postMessage({ type: 'preview', state } satisfies FromWorker)
})
serveRpc<StageCalls>(self, stageHandlers(stage))
