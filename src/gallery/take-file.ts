/**
 * A take as one file, ".anyflow": the line `ANYFLOWTAKE1\n`, the header's length (uint32, little-endian), the header as
 * JSON, then the packed chunks back to back. Without loss, so a take crosses machines as it was made.
 */

import * as v from 'valibot'

import { StorageError } from '../errors'
import { sha256 } from '../models/hash'
import type { ChunkRecord, TakeHead, TakeRecord } from './records'

export const TAKE_FILE_EXTENSION = 'anyflow'
const MAGIC = new TextEncoder().encode('ANYFLOWTAKE1\n')

/** Largest header that is read, bytes. */
const MAX_HEADER = 2 ** 24

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))
const size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(8192))
const words = v.pipe(v.string(), v.maxLength(10_000))

const headerSchema = v.object({
  id: v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/)),
  made: whole,
  request: v.object({
    ...{ prompt: words, steps: whole, seed: whole, frames: whole },
    laterSteps: v.optional(whole),
    chunkSeeds: v.optional(v.array(v.object({ chunk: whole, seed: whole }))),
    givenFrames: v.optional(whole),
    endless: v.optional(v.boolean()),
    prompts: v.optional(v.array(v.object({ chunk: whole, prompt: words }))),
  }),
  model: v.object({ id: words, name: words, path: v.optional(words) }),
  backend: words,
  width: size,
  height: size,
  fps: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(240)),
  state: v.picklist(['done', 'stopped']),
  timings: v.optional(v.looseObject({ totalMs: v.number() })),
  sha256: v.string(),
  chunks: v.array(
    v.object({
      first: whole,
      count: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096)),
      bytes: whole,
    }),
  ),
})

/** A file's content; `head` and the rest of the record as they were when it was written. */
export interface TakeFile {
  readonly head: TakeHead
  readonly state: 'done' | 'stopped'
  readonly timings: TakeRecord['timings']
  readonly chunks: readonly Omit<ChunkRecord, 'take'>[]
}

/** @param chunks all of the take's, in order */
export async function writeTakeFile(record: TakeRecord, chunks: readonly ChunkRecord[]): Promise<Blob> {
  const { id, made, request, model, backend, width, height, fps, state, timings } = record
  const data = chunks.map((chunk) => chunk.data)
  const header: v.InferInput<typeof headerSchema> = {
    ...{ id, made, model, backend, width, height, fps },
    request: { ...request, chunkSeeds: request.chunkSeeds?.slice(), prompts: request.prompts?.slice() },
    state: state === 'done' ? 'done' : 'stopped',
    ...(timings ? { timings: { ...timings } } : {}),
    sha256: await sha256(new Uint8Array(await new Blob(data).arrayBuffer())),
    chunks: chunks.map((chunk) => ({ first: chunk.first, count: chunk.count, bytes: chunk.data.length })),
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const length = new DataView(new ArrayBuffer(4))
  length.setUint32(0, json.length, true)
  return new Blob([MAGIC, length.buffer, json, ...data], { type: 'application/x-anyflow-take' })
}

/** @throws StorageError `bad-file` saying what is wrong; nothing of such a file is used */
export async function readTakeFile(file: Blob): Promise<TakeFile> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) throw bad('it is not one')
  const start = MAGIC.length + 4
  if (bytes.length < start) throw bad('it is cut short')
  const length = new DataView(bytes.buffer).getUint32(MAGIC.length, true)
  if (length > MAX_HEADER || start + length > bytes.length) throw bad('it is cut short')
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes.subarray(start, start + length)))
  } catch {
    throw bad('its header is damaged')
  }
  const parsed = v.safeParse(headerSchema, json)
  if (!parsed.success) {
    const [issue] = parsed.issues
    throw bad(`its header is damaged at ${v.getDotPath(issue) ?? 'the start'}: ${issue.message}`)
  }
  const { state, timings, chunks, sha256: expected, ...head } = parsed.output
  const body = bytes.slice(start + length)
  if (body.length !== chunks.reduce((sum, chunk) => sum + chunk.bytes, 0)) throw bad('it is cut short')
  if ((await sha256(body)) !== expected) throw bad('its SHA-256 does not match')
  let offset = 0
  // Of a take without an end the oldest frames are gone.
  const begin = head.request.endless ? (chunks[0]?.first ?? 0) : 0
  let next = begin
  const read = chunks.map(({ first, count, bytes: part }) => {
    if (first !== next) throw bad(`frame ${next} is missing`)
    next += count
    offset += part
    return { first, count, data: body.slice(offset - part, offset) }
  })
  if (next === begin) throw bad('it has no frames')
  return { head, state, timings, chunks: read }
}

function bad(problem: string): StorageError {
  return new StorageError(
    'bad-file',
    `The file could not be read as a take: ${problem}. Choose a .${TAKE_FILE_EXTENSION} file that this app wrote.`,
  )
}
