/** Chunks whose noise was drawn with another seed than the rest of their take. */

/** A chunk, counted from 1, and its seed. */
export interface ChunkSeed {
  readonly chunk: number
  readonly seed: number
}

/** The list with one more; an earlier seed of the same chunk is gone, as that chunk is. Ascending by chunk. */
export function withChunkSeed(seeds: readonly ChunkSeed[] | undefined, added: ChunkSeed): ChunkSeed[] {
  const others = (seeds ?? []).filter(({ chunk }) => chunk !== added.chunk)
  return [...others, added].sort((a, b) => a.chunk - b.chunk)
}
