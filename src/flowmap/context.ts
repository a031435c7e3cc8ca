/**
 * FAR context: which finished frames a chunk may look at, at which resolution, and in which cache slots their keys
 * and values stand. Rules as in models/README.md ("Context rules").
 */

import { type Chunk, framesOf } from './chunks'

/** Bias of a slot that may not be seen. Large enough to vanish in a softmax, small enough for half precision. */
export const MASKED = -30000

/** Finished chunks, oldest first, split by the resolution at which they stay in the cache. */
export interface ContextSplit {
  readonly compressed: readonly Chunk[]
  readonly full: readonly Chunk[]
}

/** Splits the chunks `0..k` for the cache that chunk `k + 1` will see: the last `fullChunkLimit - 1` stay full. */
export function splitContext(finished: readonly Chunk[], fullChunkLimit: number): ContextSplit {
  const full = Math.min(finished.length, Math.max(0, fullChunkLimit - 1))
  const edge = finished.length - full
  return { compressed: finished.slice(0, edge), full: finished.slice(edge) }
}

/** Frames that the cache graph is given; more than needed are padding. At least one each. */
export interface CacheCapacity {
  readonly compressed: number
  readonly full: number
}

/** Sizes of one frame in tokens: at full resolution and compressed. */
export interface TokenCounts {
  readonly full: number
  readonly compressed: number
}

function countFrames(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.count, 0)
}

/** The smallest capacity that holds a split. */
export function exactCapacity(split: ContextSplit): CacheCapacity {
  return {
    compressed: Math.max(1, countFrames(split.compressed)),
    full: Math.max(1, countFrames(split.full)),
  }
}

/** The smallest capacity that holds every cache of a take, so that shapes stay constant. */
export function takeCapacity(chunks: readonly Chunk[], fullChunkLimit: number): CacheCapacity {
  let compressed = 1
  let full = 1
  // The last chunk is never looked back at, so no cache holds it.
  for (let finished = 1; finished < chunks.length; finished++) {
    const exact = exactCapacity(splitContext(chunks.slice(0, finished), fullChunkLimit))
    compressed = Math.max(compressed, exact.compressed)
    full = Math.max(full, exact.full)
  }
  return { compressed, full }
}

/** Number of slots `S = Fc Pc + Ff P`. */
export function slotCount(capacity: CacheCapacity, tokens: TokenCounts): number {
  return capacity.compressed * tokens.compressed + capacity.full * tokens.full
}

/** What the cache graph needs besides the latents. */
export interface CacheLayout {
  readonly capacity: CacheCapacity
  readonly slots: number
  /** Absolute latent frame numbers, `[Fc]`; 0 for padding. */
  readonly compressedPositions: Int32Array
  /** `[Ff]`. */
  readonly fullPositions: Int32Array
  /** `[S, S]`, row: query, column: key; 0 where the query may see the key, else {@link MASKED}. */
  readonly selfBias: Float32Array
  /** `[S]`, as a later step sees the cache: 0 for a written slot, else {@link MASKED}. */
  readonly stepBias: Float32Array
}

/** Lays a split out in a cache: compressed frames first, then padding, then full frames, then padding. */
export function layoutCache(split: ContextSplit, capacity: CacheCapacity, tokens: TokenCounts): CacheLayout {
  const slots = slotCount(capacity, tokens)
  // Per slot: its chunk, or -1 - frame for a padding frame, which sees and is seen by itself alone.
  const owner = new Int32Array(slots)
  let slot = 0
  let padding = -1
  const place = (chunks: readonly Chunk[], frames: number, perFrame: number): Int32Array => {
    const positions = new Int32Array(frames)
    let next = 0
    const fill = (value: number): void => {
      owner.fill(value, slot, slot + perFrame)
      slot += perFrame
    }
    for (const chunk of chunks) {
      for (const position of framesOf(chunk)) {
        if (next >= frames) throw new RangeError(`the context does not fit into ${frames} frames`)
        positions[next++] = position
        fill(chunk.index)
      }
    }
    while (next < frames) {
      next++
      fill(padding--)
    }
    return positions
  }
  const compressedPositions = place(split.compressed, capacity.compressed, tokens.compressed)
  const fullPositions = place(split.full, capacity.full, tokens.full)

  const selfBias = new Float32Array(slots * slots).fill(MASKED)
  for (let query = 0; query < slots; query++) {
    const mine = owner[query]!
    for (let key = 0; key < slots; key++) {
      const theirs = owner[key]!
      const visible = mine < 0 ? theirs === mine : theirs >= 0 && theirs <= mine
      if (visible) selfBias[query * slots + key] = 0
    }
  }
  const stepBias = Float32Array.from(owner, (chunk) => (chunk < 0 ? MASKED : 0))
  return { capacity, slots, compressedPositions, fullPositions, selfBias, stepBias }
}
