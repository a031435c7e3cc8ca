/** Entry of the gallery worker. */

import { serveRpc } from '../worker/rpc'
import { GalleryDatabase } from './database'
import type { GalleryCalls } from './protocol'
import { galleryHandlers } from './service'

declare const self: DedicatedWorkerGlobalScope

const opening = GalleryDatabase.open().then(async (db) => {
  await db.sweep()
  return db
})
// Every call awaits it and reports its failure.
opening.catch(() => undefined)
serveRpc<GalleryCalls>(self, galleryHandlers(opening))
