import { createStore, type StoreApi } from 'zustand/vanilla'

import type { GenerationRequest } from '../engine/types'
import type { Generator } from '../worker/generator'
import type { RequestStore } from './request'
import { type HeldTake, showHeld, type TakeState, type TakeStore } from './take'
import type { TakeRunner } from './take-runner'

/** Steps that a draft is refined to: the next higher of these. */
const REFINED_STEPS = [4, 8, 16, 32, 64] as const

/** Steps that a take of so many is refined to; `undefined` when there are no more. */
export function refinedSteps(steps: number): number | undefined {
  return REFINED_STEPS.find((more) => more > steps)
}

/** A draft against the same take at more steps. */
export interface CompareState {
  readonly draft: HeldTake | undefined
  /** What the refined take is, or is being, made of. */
  readonly refined: GenerationRequest | undefined
  /** Share of the picture, from the left, that shows the draft; 0..1. */
  readonly split: number
}

export type CompareStore = StoreApi<CompareState>

/** True once frames of the refined take are there to be compared. */
export function isComparing(compare: CompareState, take: TakeState): boolean {
  return compare.draft !== undefined && take.shown?.request === compare.refined
}

/** Makes drafts again at more steps, from the same noise. */
export class Compare {
  readonly store: CompareStore = createStore<CompareState>()(() => ({
    draft: undefined,
    refined: undefined,
    split: 0.5,
  }))

  constructor(
    private readonly generator: Pick<Generator, 'keep' | 'showKept' | 'dropKept'>,
    private readonly runner: TakeRunner,
    private readonly request: RequestStore,
    private readonly take: TakeStore,
  ) {
    take.subscribe((now, before) => {
      const { refined } = this.store.getState()
      if (!refined) return
      const another = now.phase === 'running' && now.request !== before.request && now.request !== refined
      // Stopped or failed before its first frame, the draft is still what is shown.
      const never = now.phase !== 'running' && now.request === refined && now.shown?.request !== refined
      if (another || never) void this.close()
    })
  }

  /** Refines the shown take. Does nothing while a take is made, or when there are no more steps. */
  async refine(): Promise<void> {
    const { phase, shown, timings } = this.take.getState()
    const steps = shown ? refinedSteps(shown.request.steps) : undefined
    if (
      phase === 'running' ||
      !shown?.complete ||
      shown.request.endless ||
      shown.playOnly ||
      steps === undefined
    )
      return
    await this.close()
    const draft: HeldTake = { kept: await this.generator.keep(), shown, timings }
    // All chunks alike: a draft that saved steps on later chunks gets them back.
    const refined: GenerationRequest = { ...shown.request, steps, laterSteps: undefined }
    this.store.setState({ draft, refined, split: 0.5 })
    const made = this.runner.make(refined)
    // The slider follows; the runner has the request already, so that this does not start another take.
    this.request.setState({ steps, laterSteps: undefined })
    await made
  }

  /** Goes back to the draft. */
  async keepDraft(): Promise<void> {
    const { draft } = this.store.getState()
    if (!draft) return
    await this.runner.stop()
    const preview = await this.generator.showKept(draft.kept)
    this.take.setState((state) => showHeld(state, draft, preview), true)
    const { steps, laterSteps } = draft.shown.request
    this.request.setState({ steps, laterSteps })
    await this.close()
  }

  /** Ends the comparison; the refined take stays. */
  async close(): Promise<void> {
    const { draft } = this.store.getState()
    this.store.setState({ draft: undefined, refined: undefined })
    if (draft) await this.generator.dropKept([draft.kept])
  }
}
