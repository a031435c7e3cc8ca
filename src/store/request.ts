import { createStore, type StoreApi } from 'zustand/vanilla'

import type { BackendChoice } from '../engine/types'
import type { ChunkSeed } from '../flowmap/seeds'
import { parseSeed, randomSeed } from './seed'
import { STEPS, type LinkedRequest } from './url'

/** The request being edited: everything a take is made from. */
export interface RequestState {
  readonly prompt: string
  readonly steps: number
  /** Steps of every chunk after the first one made; `undefined` for the same number throughout. */
  readonly laterSteps: number | undefined
  /** Pixel frames; `undefined` until a model says what it can make. */
  readonly length: number | undefined
  /** Chunks keep coming until the take is stopped. */
  readonly endless: boolean
  /** What stands in the seed field, as typed. */
  readonly seedText: string
  /** Chunks with a seed of their own, as a kept take or a link had them; gone with another seed. */
  readonly chunkSeeds: readonly ChunkSeed[] | undefined
  /** A locked seed is used for every take; an unlocked one is drawn anew for each. */
  readonly seedLocked: boolean
  /** True until the seed shown has been used: an unlocked seed is only replaced after that. */
  readonly seedFresh: boolean
  /** Id from the index or path of a package; `undefined` for the index's default. */
  readonly model: string | undefined
  readonly backend: BackendChoice
  /** Things the user should know about the link they opened. */
  readonly notices: readonly string[]
}

export type RequestStore = StoreApi<RequestState>

/** Starts from a link's values. A seed that came with a link is locked, so that the link's take is what one gets. */
export function createRequestStore(
  link: LinkedRequest,
  problems: readonly string[],
  seedLocked: boolean,
): RequestStore {
  return createStore<RequestState>()(() => ({
    prompt: link.prompt ?? '',
    steps: link.steps ?? STEPS.initial,
    laterSteps: link.laterSteps,
    length: link.length,
    endless: false,
    seedText: String(link.seed ?? randomSeed()),
    chunkSeeds: link.seed === undefined ? undefined : link.chunkSeeds,
    seedLocked: link.seed !== undefined && seedLocked,
    seedFresh: true,
    model: link.model,
    backend: link.backend ?? 'auto',
    notices: problems,
  }))
}

/** The seed in the field, or `undefined` while it is not a valid one. */
export function currentSeed(state: RequestState): number | undefined {
  return parseSeed(state.seedText)
}

/** Typing a seed means wanting that one: it locks. */
export function typeSeed(store: RequestStore, seedText: string): void {
  store.setState({ seedText, chunkSeeds: undefined, seedFresh: true, seedLocked: true })
}

/** Draws a new seed and leaves the lock as it is. */
export function rollSeed(store: RequestStore): void {
  store.setState({ seedText: String(randomSeed()), chunkSeeds: undefined, seedFresh: true })
}

/** Takes an example's prompt and the seed it was chosen with. */
export function applyExample(store: RequestStore, example: { prompt: string; seed: number }): void {
  store.setState((state) =>
    state.seedLocked
      ? { prompt: example.prompt }
      : { prompt: example.prompt, seedText: String(example.seed), chunkSeeds: undefined, seedFresh: true },
  )
}

/**
 * The seed for the next take, marked as used: the one shown, or a new one when the one shown is neither fresh nor
 * locked. `undefined` when the field holds no valid seed.
 */
export function takeSeed(store: RequestStore): number | undefined {
  const state = store.getState()
  if (!state.seedFresh && !state.seedLocked) rollSeed(store)
  const seed = currentSeed(store.getState())
  if (seed !== undefined) store.setState({ seedFresh: false })
  return seed
}

/** The allowed length nearest to `wanted`; the shorter one of two equally near. */
export function nearestLength(lengths: readonly number[], wanted: number): number | undefined {
  let best: number | undefined
  for (const length of lengths) {
    if (best === undefined || Math.abs(length - wanted) < Math.abs(best - wanted)) best = length
  }
  return best
}

/** Frames to ask for a take of the request with: without an end, as many as the model has learnt to look back over. */
export function askedFrames(
  { endless, length }: Pick<RequestState, 'endless' | 'length'>,
  lengths: readonly number[],
): number | undefined {
  return endless ? lengths.at(-1) : length
}

/**
 * Said while a take without an end runs and the prompt as typed cannot be used; `undefined` when it can.
 * @param tokens of the prompt, once they are counted
 */
export function unusedPrompt(
  prompt: string,
  tokens: { readonly used: number; readonly limit: number } | undefined,
): string | undefined {
  const isEmpty = prompt.trim() === ''
  if (!isEmpty && (!tokens || tokens.used <= tokens.limit)) return undefined
  return `The running take keeps its last prompt until you ${isEmpty ? 'type one here' : 'shorten this one'}.`
}
