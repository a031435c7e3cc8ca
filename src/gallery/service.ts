/** The gallery worker's calls, over any database. */

import { StorageError } from '../errors'
import { type Handlers, Transferred } from '../worker/rpc'
import type { GalleryDatabase } from './database'
import { packFrames, unpackFrames } from './frame-codec'
import type { GalleryCalls } from './protocol'
import type { Clip, StorageRoom, TakeRecord } from './records'
import { readTakeFile, writeTakeFile } from './take-file'
import { drawPoster, scaleDown } from './thumbnails'
import { Unsaved } from './unsaved'

/** @param opening the database; a failure to open it is the answer to every call */
export function galleryHandlers(opening: Promise<GalleryDatabase>): Handlers<GalleryCalls> {
  const unsaved = new Unsaved()
  // Chunks of a take arrive faster than they are packed; they must be written in order, and before `finish`.
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work, work)
    turn = result.catch(() => undefined)
    return result
  }

  const need = async (id: string): Promise<TakeRecord> => {
    const record = await (await opening).get(id)
    if (record) return record
    throw new StorageError('storage-failed', 'This take is not in the gallery any more. Reload the page.')
  }

  const readClip = async (id: string): Promise<Clip> => {
    const { width, height, fps } = await need(id)
    const frames: Uint8ClampedArray<ArrayBuffer>[] = []
    for (const chunk of await (await opening).chunks(id)) {
      frames.push(...(await unpack(chunk.data, chunk.count, width, height)))
    }
    return { width, height, fps, frames }
  }

  return {
    list: async () => (await opening).list(),
    add: ({ head, first, frames, from }) =>
      inTurn(async () => {
        const db = await opening
        const data = await packFrames(frames, head.width, head.height)
        const poster =
          first === 0 || !(await db.get(head.id)) ? await drawPoster(frames.at(-1)!, head) : undefined
        const chunk = { first, count: frames.length, data }
        try {
          // Order matters: a take whose middle is missing cannot be played.
          if (unsaved.has(head.id)) throw new StorageError('storage-full', 'An earlier part is not kept yet.')
          return await db.addChunk(head, chunk, poster, from)
        } catch (error) {
          if (error instanceof StorageError && error.code === 'storage-full')
            unsaved.add(head, chunk, poster, from)
          throw error
        }
      }),
    retry: () => inTurn(async () => unsaved.retry(await opening)),
    finish: ({ id, state, timings }) =>
      inTurn(async () => {
        const db = await opening
        unsaved.end(id, { state, timings })
        const chunks = await db.chunks(id)
        const record = await db.get(id)
        const middle = chunks[Math.floor(chunks.length / 2)]
        if (!record || !middle) return undefined
        // The middle of a clip says more than its start.
        const [frame] = await unpack(middle.data, middle.count, record.width, record.height)
        const poster = await drawPoster(frame!, record)
        return db.update(id, { state, timings, ...(poster ? { poster } : {}) })
      }),
    clip: async ({ id }) => {
      const clip = await readClip(id)
      return new Transferred(
        clip,
        clip.frames.map(({ buffer }) => buffer),
      )
    },
    thumbnails: async ({ id, width, count }) => {
      const clip = await readClip(id)
      const wanted = Math.min(count, clip.frames.length)
      const bitmaps = await Promise.all(
        Array.from({ length: wanted }, (_, i) =>
          scaleDown(clip.frames[Math.floor((i * clip.frames.length) / wanted)]!, clip, width),
        ),
      )
      return new Transferred(bitmaps, bitmaps)
    },
    hide: async ({ id, hidden }) => (await opening).update(id, { hidden }),
    remove: async ({ id }) => {
      unsaved.forget(id)
      await (await opening).remove(id)
      return undefined
    },
    exportFile: async ({ id }) => writeTakeFile(await need(id), await (await opening).chunks(id)),
    importFile: ({ file }) => inTurn(async () => keepFile(await opening, file)),
    room: () => storageRoom(),
  }
}

async function keepFile(db: GalleryDatabase, file: Blob): Promise<TakeRecord> {
  const { head, state, timings, chunks } = await readTakeFile(file)
  // Every chunk is opened once before anything is kept: a file that cannot be played is refused here.
  for (const { data, count } of chunks) await unpack(data, count, head.width, head.height)
  const already = await db.get(head.id)
  if (already && already.frames >= chunks.reduce((sum, { count }) => sum + count, 0)) {
    return (await db.update(head.id, { hidden: false })) ?? already
  }
  const middle = chunks[Math.floor(chunks.length / 2)]!
  const [frame] = await unpack(middle.data, middle.count, head.width, head.height)
  const poster = await drawPoster(frame!, head)
  try {
    for (const chunk of chunks) await db.addChunk(head, chunk, poster)
  } catch (error) {
    if (!already) await db.remove(head.id)
    throw error
  }
  return (await db.update(head.id, { state, timings, hidden: false }))!
}

async function unpack(
  data: Uint8Array<ArrayBuffer>,
  count: number,
  width: number,
  height: number,
): Promise<Uint8ClampedArray<ArrayBuffer>[]> {
  try {
    return await unpackFrames(data, count, width, height)
  } catch (cause) {
    throw new StorageError('bad-file', 'The frames of this take are damaged. Delete it, and make it again.', {
      cause,
    })
  }
}

async function storageRoom(): Promise<StorageRoom | undefined> {
  const storage = (globalThis.navigator as Navigator | undefined)?.storage
  if (!storage) return undefined
  const { usage, quota } = await storage.estimate()
  return usage === undefined || quota === undefined ? undefined : { used: usage, quota }
}
