/** What changed in the middle of a take, and where on the strip that shows. */

import type { Manifest } from '../models/manifest'
import type { TakeState } from './take'
import { chunkSpans, endOfPlan } from './timeline'

type Plan = Pick<Manifest, 'transformer' | 'video'>

/** Where on the strip a chunk begins. */
export interface Mark {
  /** Counted from 1. */
  readonly chunk: number
  /** CSS length from the strip's left edge. */
  readonly left: string
}

export interface SeedMark extends Mark {
  readonly seed: number
}

export interface PromptMark extends Mark {
  readonly prompt: string
}

/** Chunks with a seed of their own, over a strip that is `total` frames long. Chunks that are no longer held have no mark. */
export function seedMarks(shown: TakeState['shown'], total: number, model: Plan | undefined): SeedMark[] {
  return placed(shown?.request.chunkSeeds, shown, total, model)
}

/** Chunks from which on another prompt counts, likewise. */
export function promptMarks(shown: TakeState['shown'], total: number, model: Plan | undefined): PromptMark[] {
  return placed(shown?.prompts, shown, total, model)
}

function placed<T extends { readonly chunk: number }>(
  changes: readonly T[] | undefined,
  shown: TakeState['shown'],
  total: number,
  model: Plan | undefined,
): (T & Mark)[] {
  if (!shown || !changes || changes.length === 0 || !model || total < 1) return []
  const dropped = shown.dropped ?? 0
  const spans = chunkSpans(endOfPlan(dropped + total, model), model)
  return changes.flatMap((change) => {
    const span = spans[change.chunk - 1]
    if (!span || span.first < dropped || span.first >= dropped + total) return []
    return [{ ...change, left: `${((100 * (span.first - dropped)) / total).toFixed(3)}%` }]
  })
}
