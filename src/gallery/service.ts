/** The gallery worker's calls, over any database. */

import { StorageError } from '../errors'
import { type Handlers, Transferred } from '../worker/rpc'
import type { GalleryDatabase } from './database'
import { packFrames, type Pixels } from './frame-codec'
import type { GalleryCalls } from './protocol'
import type { Clip, StorageRoom, TakeRecord } from './records'
import { readTakeFile, writeTakeFile } from './take-file'
import { TakeWriter } from './take-writer'
import { drawPoster, scaleDown } from './thumbnails'
import { unpackChunk } from './unpack-chunk'

/** @param opening the database; a failure to open it is the answer to every call */
export function galleryHandlers(
  opening: Promise<GalleryDatabase>,
  writer = new TakeWriter(opening),
): Handlers<GalleryCalls> {
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
    const record = await need(id)
    const frames: Pixels[] = []
    for (const chunk of await (await opening).chunks(id)) frames.push(...(await unpackChunk(chunk, record)))
    const { width, height, fps } = record
    return { width, height, fps, frames }
  }

  /** Frames evenly spread over a take. Chunks without any of them stay packed. */
  const readSome = async (record: TakeRecord, count: number): Promise<Pixels[]> => {
    const wanted = Math.min(count, record.frames)
    const indices = Array.from({ length: wanted }, (_, i) => Math.floor((i * record.frames) / wanted))
    const frames: Pixels[] = []
    let start = 0
    for (const chunk of await (await opening).chunks(record.id)) {
      const inside = indices.filter((index) => index >= start && index < start + chunk.count)
      const unpacked = inside.length > 0 ? await unpackChunk(chunk, record) : []
      for (const index of inside) frames.push(unpacked[index - start]!)
      start += chunk.count
    }
    return frames
  }

  return {
    list: async () => (await opening).list(),
    add: ({ head, first, frames, from = 0 }) =>
      inTurn(async () => {
        if (writer.isRemoved(head.id)) return undefined
        const db = await opening
        const data = await packFrames(frames, head.width, head.height)
        const isFirst = first === 0 || !(await db.get(head.id))
        const poster = isFirst ? await drawPoster(frames.at(-1)!, head) : undefined
        const chunk = { first, count: frames.length, data }
        return writer.write(head.id, { type: 'chunk', head, chunk, poster, from })
      }),
    truncate: ({ head, first }) => inTurn(() => writer.write(head.id, { type: 'truncate', head, first })),
    waiting: () => writer.waiting,
    retry: () => inTurn(() => writer.retry()),
    finish: ({ id, state, timings }) =>
      inTurn(() => writer.write(id, { type: 'end', end: { state, timings } })),
    clip: async ({ id }) => {
      const clip = await readClip(id)
      return new Transferred(
        clip,
        clip.frames.map(({ buffer }) => buffer),
      )
    },
    thumbnails: async ({ id, width, count }) => {
      const record = await need(id)
      const frames = await readSome(record, count)
      const bitmaps = await Promise.all(frames.map((frame) => scaleDown(frame, record, width)))
      return new Transferred(bitmaps, bitmaps)
    },
    hide: async ({ id, hidden }) =>
      (await opening).update(id, { hidden, hiddenAt: hidden ? Date.now() : undefined }),
    remove: async ({ id }) => {
      await writer.remove(id)
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
  for (const chunk of chunks) await unpackChunk(chunk, head)
  const already = await db.get(head.id)
  if (already && already.frames >= chunks.reduce((sum, { count }) => sum + count, 0)) {
    return (await db.update(head.id, { hidden: false, hiddenAt: undefined })) ?? already
  }
  const middle = chunks[Math.floor(chunks.length / 2)]!
  const [frame] = await unpackChunk(middle, head)
  const poster = await drawPoster(frame!, head)
  try {
    for (const chunk of chunks) await db.addChunk(head, chunk, { poster })
  } catch (error) {
    if (!already) await db.remove(head.id)
    throw error
  }
  return (await db.update(head.id, { state, timings, hidden: false, hiddenAt: undefined }))!
}

async function storageRoom(): Promise<StorageRoom | undefined> {
  const storage = (globalThis.navigator as Navigator | undefined)?.storage
  if (!storage) return undefined
  const { usage, quota } = await storage.estimate()
  return usage === undefined || quota === undefined ? undefined : { used: usage, quota }
}
