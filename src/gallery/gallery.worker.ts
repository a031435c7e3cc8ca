/** Entry of the gallery worker. */

import { serveRpc } from '../worker/rpc'
import { GalleryDatabase } from './database'
import type { GalleryCalls } from './protocol'
import { galleryHandlers } from './service'

declare const self: DedicatedWorkerGlobalScope

/** A while after the opening, ms: by then what was deleted just before it can be swept. */
const SWEEP_AGAIN = 70_000

const opening = GalleryDatabase.open().then(async (db) => {
  await db.sweep()
  setTimeout(() => void db.sweep().catch(() => undefined), SWEEP_AGAIN)
  return db
})
// Every call awaits it and reports its failure.
opening.catch(() => undefined)
serveRpc<GalleryCalls>(self, galleryHandlers(opening))
