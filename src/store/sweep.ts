import { createStore, type StoreApi } from 'zustand/vanilla'

import type { Generator } from '../worker/generator'
import type { RequestStore } from './request'
import { type HeldTake, showHeld, type TakeStore } from './take'
import type { TakeRunner } from './take-runner'

/** Steps that a sweep makes the same take at: each twice the last. */
export const SWEEP_STEPS = [1, 2, 4, 8, 16, 32] as const

/** Takes of one request at different steps, side by side. */
export interface SweepState {
  /** Finished takes in the order of their steps; `undefined` while no sweep is shown. */
  readonly takes: readonly HeldTake[] | undefined
  readonly running: boolean
}

export type SweepStore = StoreApi<SweepState>

/** Makes the same seed and prompt at every number of steps, and lets one be chosen. */
export class Sweep {
  readonly store: SweepStore = createStore<SweepState>()(() => ({ takes: undefined, running: false }))

  constructor(
    private readonly generator: Pick<Generator, 'keep' | 'showKept' | 'dropKept'>,
    private readonly runner: TakeRunner,
    private readonly request: RequestStore,
    private readonly take: TakeStore,
    /** Keeps the chosen take, whose frames are on the stage, in the gallery. */
    private readonly keepChosen: (held: HeldTake) => Promise<void> = () => Promise.resolve(),
  ) {
    // Another take takes the place of the comparison.
    take.subscribe((now, before) => {
      const started = now.phase === 'running' && now.request !== before.request
      // A kept take was opened.
      const another = now.phase !== 'running' && now.shown?.request !== before.shown?.request
      if ((started || another) && !this.store.getState().running) void this.close()
    })
  }

  /** Runs to the end, or until it is stopped; what was finished by then stays. */
  async start(): Promise<void> {
    if (this.store.getState().running) return
    await this.close()
    this.store.setState({ takes: [], running: true })
    try {
      await this.runner.series(SWEEP_STEPS, async (request, timings) => {
        const { shown } = this.take.getState()
        if (!shown) return
        const held: HeldTake = { kept: await this.generator.keep(), shown: { ...shown, request }, timings }
        this.store.setState(({ takes }) => ({ takes: [...(takes ?? []), held] }))
      })
    } finally {
      const { takes } = this.store.getState()
      this.store.setState({ running: false, takes: takes?.length ? takes : undefined })
    }
  }

  /** Makes one of the takes the shown one, sets its steps, and ends the comparison. Ends a running sweep first. */
  async choose(held: HeldTake): Promise<void> {
    await this.runner.stop()
    const preview = await this.generator.showKept(held.kept)
    this.take.setState((state) => showHeld(state, held, preview), true)
    const kept = this.keepChosen(held)
    const { steps, laterSteps } = held.shown.request
    this.request.setState({ steps, laterSteps })
    await this.close()
    await kept
  }

  /** Ends the comparison without a choice: the take on the stage stays shown, and is kept like any other. */
  async dismiss(): Promise<void> {
    const { takes } = this.store.getState()
    const { shown } = this.take.getState()
    const held = takes?.find((one) => one.shown.request === shown?.request)
    await this.close()
    if (held) await this.keepChosen(held)
  }

  /** Ends the comparison; the take that is on the stage stays shown. */
  async close(): Promise<void> {
    const { takes } = this.store.getState()
    if (!takes) return
    this.store.setState({ takes: undefined })
    if (takes.length > 0) await this.generator.dropKept(takes.map(({ kept }) => kept))
  }
}
