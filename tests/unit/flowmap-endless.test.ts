import { describe, expect, it } from 'vitest'

import type { Chunk } from '../../src/flowmap/chunks'
import type { ContextSplit } from '../../src/flowmap/context'
import { endlessChunk, endlessRollout } from '../../src/flowmap/endless'
import type { FlowMapModel } from '../../src/flowmap/rollout'
import { sigmaSchedule } from '../../src/flowmap/schedule'

interface Latents {
  /** Number of the chunk from the beginning, or -1 - number for a given one. */
  readonly made: number
}

/** Notes what it is asked, and what it has not got back. */
class NotingModel implements FlowMapModel<Latents, { readonly of: readonly number[] }> {
  readonly alive = new Set<object>()
  readonly positions: number[][] = []
  readonly seen: (readonly number[])[] = []
  readonly splits: ContextSplit[] = []

  own<T extends object>(thing: T): T {
    this.alive.add(thing)
    return thing
  }

  noise({ index }: Chunk): Latents {
    return this.own({ made: index })
  }

  step(
    latents: Latents,
    _t: number,
    _r: number,
    positions: readonly number[],
    cache: { of: readonly number[] },
  ) {
    this.positions.push([...positions])
    this.seen.push(cache.of)
    return Promise.resolve(this.own({ ...latents }))
  }

  emptyCache() {
    return this.own({ of: [] })
  }

  writeCache(split: ContextSplit, history: readonly Latents[]) {
    this.splits.push(split)
    for (const latents of history) expect(this.alive.has(latents)).toBe(true)
    return Promise.resolve(this.own({ of: history.map(({ made }) => made) }))
  }

  releaseLatents(latents: Latents) {
    expect(this.alive.delete(latents)).toBe(true)
  }

  releaseCache(cache: object) {
    expect(this.alive.delete(cache)).toBe(true)
  }
}

const plan = { first: 1, rest: 2 }

/** Runs until so many chunks are there. */
async function run(model: NotingModel, chunks: number, known?: Latents[]): Promise<Chunk[]> {
  const made: Chunk[] = []
  const options = {
    plan,
    windowFrames: 9,
    sigmas: () => sigmaSchedule(1, 2),
    fullChunkLimit: 3,
    ...(known ? { known } : {}),
  }
  for await (const event of endlessRollout(model, options)) {
    if (event.type === 'chunk') made.push(event.chunk)
    if (made.length === chunks) break
  }
  return made
}

describe('the rollout without an end', () => {
  it('numbers its chunks on and on', async () => {
    const chunks = await run(new NotingModel(), 12)
    expect(chunks).toEqual(Array.from({ length: 12 }, (_, index) => endlessChunk(index, plan)))
    expect(chunks[11]).toEqual({ index: 11, first: 21, count: 2 })
  })

  it('looks back over a window that keeps the first chunk, and never over more', async () => {
    const model = new NotingModel()
    await run(model, 8)
    expect(model.seen).toEqual([
      [],
      [0],
      [0, 1],
      [0, 1, 2],
      [0, 1, 2, 3],
      [0, 2, 3, 4],
      [0, 3, 4, 5],
      [0, 4, 5, 6],
    ])
    // Positions stay those of a clip of the window's length.
    expect(model.positions.slice(3)).toEqual([
      [5, 6],
      [7, 8],
      [7, 8],
      [7, 8],
      [7, 8],
    ])
    const last = model.splits.at(-1)!
    expect(last.compressed.map(({ first }) => first)).toEqual([0, 1])
    expect(last.full.map(({ first }) => first)).toEqual([3, 5])
  })

  it('holds no more after a hundred chunks than after ten, and frees all of it', async () => {
    const model = new NotingModel()
    const alive: number[] = []
    for await (const event of endlessRollout(model, {
      plan,
      windowFrames: 9,
      sigmas: () => sigmaSchedule(1, 2),
      fullChunkLimit: 3,
    })) {
      if (event.type === 'cache') alive.push(model.alive.size)
      if (alive.length === 100) break
    }
    expect(Math.max(...alive)).toBe(alive[9])
    expect(model.alive.size).toBe(0)
  })

  it('begins with given chunks, and slides past them', async () => {
    const model = new NotingModel()
    const known = [-1, -2].map((made) => model.own({ made }))
    await run(model, 7, known)
    expect(model.seen[0]).toEqual([-1, -2])
    expect(model.seen.at(-1)).toEqual([-1, 3, 4, 5])
    expect(model.alive.size).toBe(0)
  })

  it.each([2, 3, 6, 9])('makes chunk %i again as if it had never been', async (redone) => {
    const once = new NotingModel()
    await run(once, redone + 3)
    const model = new NotingModel()
    const made: string[] = []
    let asks = 0
    const redo = (): boolean => {
      const pass = made.at(-1) === `chunk ${redone}` && ++asks === 2
      return pass
    }
    const sigmas = () => sigmaSchedule(3, 2)
    const options = { plan, windowFrames: 9, sigmas, fullChunkLimit: 3, redo }
    for await (const event of endlessRollout(model, options)) {
      if (event.type === 'chunk' || event.type === 'undo') made.push(`${event.type} ${event.chunk.index}`)
      if (made.at(-1) === `chunk ${redone + 2}`) break
    }
    expect(made.slice(redone)).toEqual([
      ...[`chunk ${redone}`, `undo ${redone}`, `chunk ${redone}`],
      ...[`chunk ${redone + 1}`, `chunk ${redone + 2}`],
    ])
    // What each chunk sees is what it would have seen: three passes a chunk, one of them of the chunk that was given up.
    const seen = (of: NotingModel, passes: number): string[] =>
      of.seen.filter((_, i) => i % passes === 0).map((chunks) => chunks.join())
    const wanted = seen(once, 1)
    const got = model.seen.map((chunks) => chunks.join())
    expect(got.slice(3 * (redone + 1), 3 * (redone + 1) + 4)).toEqual([
      wanted[redone + 1],
      ...[wanted[redone], wanted[redone], wanted[redone]],
    ])
    expect(got.slice(-3)).toEqual([wanted[redone + 2], wanted[redone + 2], wanted[redone + 2]])
    expect(model.alive.size).toBe(0)
  })

  it('makes neither the first chunk again, nor a given one, nor the same twice in a row', async () => {
    const log: string[] = []
    const model = new NotingModel()
    const known = [-1, -2].map((made) => model.own({ made }))
    const sigmas = () => sigmaSchedule(1, 2)
    for await (const event of endlessRollout(model, {
      ...{ plan, windowFrames: 9, sigmas, fullChunkLimit: 3, known },
      redo: () => true,
    })) {
      if (event.type === 'chunk' || event.type === 'undo') log.push(`${event.type} ${event.chunk.index}`)
      if (log.length === 8) break
    }
    expect(log).toEqual([
      ...['chunk 0', 'chunk 1', 'chunk 2', 'undo 2', 'chunk 2', 'undo 2', 'chunk 2', 'undo 2'],
    ])
    expect(model.alive.size).toBe(0)
    const first = new NotingModel()
    const early: string[] = []
    for await (const event of endlessRollout(first, {
      ...{ plan, windowFrames: 9, sigmas, fullChunkLimit: 3 },
      redo: () => early.length === 1,
    })) {
      if (event.type === 'chunk' || event.type === 'undo') early.push(`${event.type} ${event.chunk.index}`)
      if (early.length === 3) break
    }
    expect(early).toEqual(['chunk 0', 'chunk 1', 'chunk 2'])
  })

  it('refuses a window that cannot slide', async () => {
    const model = new NotingModel()
    const events = endlessRollout(model, {
      plan,
      windowFrames: 3,
      sigmas: () => sigmaSchedule(1, 2),
      fullChunkLimit: 3,
    })
    await expect(events.next()).rejects.toThrow(/three chunks/)
    expect(model.alive.size).toBe(0)
  })
})
