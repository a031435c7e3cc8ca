import type { BackendChoice } from '../engine/types'
import type { ChunkSeed } from '../flowmap/seeds'
import { MAX_SEED, parseSeed } from './seed'

/** Steps the slider offers: every integer in this range. */
export const STEPS = { min: 1, max: 64, initial: 4 } as const

const backends: readonly BackendChoice[] = ['auto', 'webgpu', 'wasm']

/** What a link may set. Absent: not in the link, or not usable. */
export interface LinkedRequest {
  readonly prompt?: string
  readonly seed?: number
  /** Chunks with a seed of their own. */
  readonly chunkSeeds?: readonly ChunkSeed[]
  readonly steps?: number
  /** Steps of every chunk after the first one made. */
  readonly laterSteps?: number
  /** Pixel frames. Whether the model can make that many is only known once it is loaded. */
  readonly length?: number
  readonly model?: string
  readonly backend?: BackendChoice
}

export interface ParsedLink {
  readonly request: LinkedRequest
  /** One sentence for every value that was left out, and what is used instead. */
  readonly problems: readonly string[]
}

/** Reads `?prompt=&seed=&redo=&steps=&later=&length=&model=&backend=`. A bad value is named in `problems`; the rest still counts. */
export function parseLink(search: string): ParsedLink {
  const params = new URLSearchParams(search)
  const problems: string[] = []
  const request: { -readonly [K in keyof LinkedRequest]: LinkedRequest[K] } = {}

  const prompt = params.get('prompt')
  if (prompt !== null) request.prompt = prompt

  const seed = params.get('seed')
  if (seed !== null) {
    const value = parseSeed(seed)
    if (value === undefined) {
      problems.push(
        `The link's seed "${seed}" is not a whole number from 0 to ${MAX_SEED}. A random one is used.`,
      )
    } else request.seed = value
  }

  const redo = params.get('redo')
  if (redo !== null) {
    const value = parseChunkSeeds(redo)
    if (value) request.chunkSeeds = value
    else
      problems.push(`The link's redo "${redo}" is not a list like 2:77,3:5. All chunks get the take's seed.`)
  }

  const steps = params.get('steps')
  if (steps !== null) {
    const value = /^\d{1,3}$/.test(steps) ? Number(steps) : NaN
    if (value >= STEPS.min && value <= STEPS.max) request.steps = value
    else {
      problems.push(
        `The link's steps "${steps}" is not a whole number from ${STEPS.min} to ${STEPS.max}. ${STEPS.initial} is used.`,
      )
    }
  }

  const later = params.get('later')
  if (later !== null) {
    const value = /^\d{1,3}$/.test(later) ? Number(later) : NaN
    if (value >= STEPS.min && value <= STEPS.max) request.laterSteps = value
    else {
      problems.push(
        `The link's later steps "${later}" are not a whole number from ${STEPS.min} to ${STEPS.max}. All chunks get the same steps.`,
      )
    }
  }

  const length = params.get('length')
  if (length !== null) {
    const value = /^\d{1,5}$/.test(length) ? Number(length) : NaN
    if (value >= 1) request.length = value
    else
      problems.push(
        `The link's length "${length}" is not a number of frames. The model's usual length is used.`,
      )
  }

  const model = params.get('model')
  if (model) request.model = model

  const backend = params.get('backend')
  if (backend !== null) {
    const value = backends.find((name) => name === backend)
    if (value) request.backend = value
    else problems.push(`The link's backend "${backend}" is not one of ${backends.join(', ')}. auto is used.`)
  }
  return { request, problems }
}

/** @returns `undefined` unless it is `chunk:seed`, chunks from 1, separated by commas. */
function parseChunkSeeds(text: string): ChunkSeed[] | undefined {
  const seeds: ChunkSeed[] = []
  for (const part of text.split(',')) {
    const [chunk = '', own = ''] = part.split(':')
    const seed = parseSeed(own)
    if (!/^[1-9]\d{0,5}$/.test(chunk) || seed === undefined) return undefined
    seeds.push({ chunk: Number(chunk), seed })
  }
  return seeds
}

/**
 * The search part of a link that reproduces `request`. Parameters in `search` that are not part of a request are kept;
 * absent values are left out.
 */
export function formatLink(search: string, request: LinkedRequest): string {
  const params = new URLSearchParams(search)
  const values: Record<string, string | number | undefined> = {
    prompt: request.prompt || undefined,
    seed: request.seed,
    redo: request.chunkSeeds?.map(({ chunk, seed }) => `${chunk}:${seed}`).join(',') || undefined,
    steps: request.steps,
    later: request.laterSteps,
    length: request.length,
    model: request.model,
    backend: request.backend === 'auto' ? undefined : request.backend,
  }
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) params.delete(name)
    else params.set(name, String(value))
  }
  const text = params.toString()
  return text ? `?${text}` : ''
}
