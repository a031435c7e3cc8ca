/** Times the parts of a take. */

import type { Timings } from './types'

type Part = 'pass' | 'cache' | 'decode' | 'encode' | 'estimate' | 'chunk'

/** Means over what was measured so far. All times are wall-clock milliseconds. */
export class Stopwatch {
  private readonly started = performance.now()
  private readonly sums = new Map<Part, { total: number; count: number }>()
  private firstFrame: number | undefined
  private text: number | undefined

  /** Runs and times one piece of work that counts as `units` parts. */
  async time<T>(part: Part, work: () => Promise<T>, units = 1): Promise<T> {
    const from = performance.now()
    const result = await work()
    this.add(part, performance.now() - from, units)
    return result
  }

  add(part: Part, milliseconds: number, units = 1): void {
    const sum = this.sums.get(part) ?? { total: 0, count: 0 }
    sum.total += milliseconds
    sum.count += units
    this.sums.set(part, sum)
  }

  setText(milliseconds: number): void {
    this.text = milliseconds
  }

  /** Remembers when the first frame was there; later calls change nothing. */
  markFrame(): void {
    this.firstFrame ??= performance.now() - this.started
  }

  timings(): Timings {
    return {
      firstFrameMs: this.firstFrame,
      passMs: this.mean('pass'),
      cacheMs: this.mean('cache'),
      chunkMs: this.mean('chunk'),
      frameMs: this.mean('decode'),
      encodeMs: this.mean('encode'),
      estimateMs: this.mean('estimate'),
      textMs: this.text,
      totalMs: performance.now() - this.started,
    }
  }

  private mean(part: Part): number | undefined {
    const sum = this.sums.get(part)
    return sum && sum.count > 0 ? sum.total / sum.count : undefined
  }
}
