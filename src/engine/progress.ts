/** How far a take is. */

import type { PlannedChunk } from './plan'
import type { ProgressEvent } from './types'

/** Makes the events that say how far a take is. */
export interface ProgressReport {
  /** @param units finished latent frames' passes, or as much other work. */
  add(units: number): void
  /**
   * @param index of the chunk, from 0.
   * @param step counts from 1 within the chunk's passes; 0 outside them.
   */
  event(phase: ProgressEvent['phase'], index: number, step?: number): ProgressEvent
}

/** Of a take without an end: no share of it is ever done. */
export class EndlessProgress implements ProgressReport {
  constructor(private readonly stepsOf: (index: number) => number) {}

  add(): void {
    // Nothing adds up.
  }

  event(phase: ProgressEvent['phase'], index: number, step = 0): ProgressEvent {
    const steps = this.stepsOf(index)
    return { type: 'progress', phase, chunk: index + 1, chunks: 0, step, steps, fraction: 0 }
  }
}

/** Counts finished work in units of one latent frame's pass, so that the bar moves evenly. */
export class Progress implements ProgressReport {
  private done = 0
  private total: number

  constructor(private readonly plan: readonly PlannedChunk[]) {
    // A made chunk has its passes, its decoding and its cache write; a given one is encoded and decoded. Nothing looks
    // back at the last chunk, and of given ones only the newest is looked back from.
    this.total = plan.reduce((sum, { chunk, steps }) => sum + chunk.count * (Math.max(1, steps) + 1), 0)
    plan.forEach(({ chunk }, i) => {
      if ((plan[i + 1]?.steps ?? 0) > 0) this.total += chunk.count
    })
  }

  add(units: number): void {
    this.done += units
  }

  event(phase: ProgressEvent['phase'], index: number, step = 0): ProgressEvent {
    return {
      type: 'progress',
      phase,
      chunk: index + 1,
      chunks: this.plan.length,
      step,
      steps: this.plan[index]?.steps ?? 0,
      fraction: Math.min(1, this.done / this.total),
    }
  }
}
