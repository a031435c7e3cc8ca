import { createStore, type StoreApi } from 'zustand/vanilla'

import { countWork, type PlannedRequest } from '../engine/plan'
import type { Timings } from '../engine/types'
import type { Manifest } from '../models/manifest'

/** Measured times of the newest takes with the loaded model on this machine, ms; absent: not measured yet. */
export interface Speed {
  /** One network evaluation. */
  readonly passMs?: number | undefined
  /** One cache write. */
  readonly cacheMs?: number | undefined
  /** One decoded pixel frame. */
  readonly frameMs?: number | undefined
  /** One encoded latent frame. */
  readonly encodeMs?: number | undefined
  /** Everything else (text, handing frames over), per pixel frame. */
  readonly restMs?: number | undefined
}

export type SpeedStore = StoreApi<Speed>

/** Nothing is known before something was measured. */
export function createSpeedStore(): SpeedStore {
  return createStore<Speed>()(() => ({}))
}

const KEY = 'anyflow.speeds'

/** What is stored may be an older version's, or anybody's. */
function isSpeed(value: unknown): value is Speed {
  const isTime = (ms: unknown): boolean => typeof ms === 'number' && ms >= 0
  return typeof value === 'object' && value !== null && Object.values(value).every(isTime)
}

/** Speeds kept for the next visit, by model and backend: the first take then knows its time already. */
export class SpeedMemory {
  constructor(private readonly local: Pick<Storage, 'getItem' | 'setItem'>) {}

  /** @param backend label of it, e.g. "WASM, 2 threads" */
  of(modelId: string, backend: string): Speed {
    return this.read()[`${modelId}/${backend}`] ?? {}
  }

  remember(modelId: string, backend: string, speed: Speed): void {
    this.local.setItem(KEY, JSON.stringify({ ...this.read(), [`${modelId}/${backend}`]: speed }))
  }

  private read(): Record<string, Speed> {
    try {
      const json: unknown = JSON.parse(this.local.getItem(KEY) ?? '{}')
      const entries = Object.entries(json ?? {}) as [string, unknown][]
      return Object.fromEntries(entries.filter((entry): entry is [string, Speed] => isSpeed(entry[1])))
    } catch {
      return {}
    }
  }
}

/**
 * What is known after a take. Its own means count: they are of the machine as it is now. Parts that it did not have keep
 * their earlier times.
 */
export function learnSpeed(
  before: Speed,
  timings: Timings,
  request: PlannedRequest,
  manifest: Manifest,
): Speed {
  const speed: Speed = {
    passMs: timings.passMs ?? before.passMs,
    cacheMs: timings.cacheMs ?? before.cacheMs,
    frameMs: timings.frameMs ?? before.frameMs,
    encodeMs: timings.encodeMs ?? before.encodeMs,
    restMs: 0,
  }
  const parts = predictTake(speed, request, manifest)
  // A part that this take had was measured, so the sum is known.
  const rest = parts === undefined ? undefined : Math.max(0, timings.totalMs - parts) / request.frames
  return { ...speed, restMs: rest ?? before.restMs }
}

/**
 * Time of a take, ms, from measured speed.
 * @returns `undefined` when a part of its work was never measured.
 */
export function predictTake(speed: Speed, request: PlannedRequest, manifest: Manifest): number | undefined {
  const work = countWork(request, manifest)
  const { passMs, cacheMs, frameMs, encodeMs, restMs } = speed
  let total = 0
  for (const [count, ms] of [
    [work.passes, passMs],
    [work.caches, cacheMs],
    [work.frames, frameMs],
    [work.encodes, encodeMs],
    [work.frames, restMs],
  ] as const) {
    if (count === 0) continue
    if (ms === undefined) return undefined
    total += count * ms
  }
  return total
}
