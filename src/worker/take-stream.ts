/** A take in flight as the page pulls it: one event at a time, frames delivered to the stage on the way. */

import type { EngineEvent } from '../engine/take'
import type { DoneEvent, GenerationEvent } from '../engine/types'
import { SerialQueue } from '../runtime/queue'
import type { StageLink } from './stage-link'
import type { StopFlag } from './stop-flag'

export class TakeStream {
  private readonly controller = new AbortController()
  private readonly queue = new SerialQueue()
  private readonly events: AsyncGenerator<EngineEvent, void, void>
  /** The last event, once it is known; kept until the page has fetched it. */
  private final: DoneEvent | undefined
  private failure: { readonly error: unknown } | undefined
  private over = false

  constructor(
    start: (signal: AbortSignal, isStopped: () => boolean) => AsyncGenerator<EngineEvent, void, void>,
    private readonly stage: StageLink,
    /** Raised by the page, which also calls `stop` as soon as this thread takes messages again. */
    private readonly flag?: StopFlag,
  ) {
    this.events = start(this.controller.signal, () => this.flag?.isRaised === true)
  }

  stop(): void {
    this.controller.abort()
    // A live take may be waiting for its frames to be seen.
    void this.stage.finish()
  }

  /** Works until the next event. After the last one: undefined. */
  next(): Promise<GenerationEvent | undefined> {
    return this.queue.run(async () => {
      const event = this.over ? undefined : await this.pull()
      if (event) return event
      if (this.failure) {
        const { error } = this.failure
        this.failure = undefined
        throw error
      }
      const { final } = this
      this.final = undefined
      return final
    })
  }

  /** Stops and waits for the end. The page still gets `done` from its own `next`. */
  async finish(): Promise<void> {
    this.stop()
    await this.queue.run(async () => {
      while (!this.over) await this.pull()
    })
  }

  /** The next event that is not the last; undefined at the end, with `final` or `failure` set. */
  private async pull(): Promise<GenerationEvent | undefined> {
    try {
      const { value, done } = await this.events.next()
      if (done === true) {
        this.over = true
        return undefined
      }
      switch (value.type) {
        case 'estimate':
          // For the stage's eyes only.
          this.stage.estimate(value)
          return await this.pull()
        case 'started':
          this.stage.begin(value)
          // The page has what it gave.
          return { ...value, request: { ...value.request, given: undefined } }
        case 'frames':
          await this.stage.add(value)
          return { type: 'frames', first: value.first, count: value.count }
        case 'undone':
          await this.stage.truncate(value.first)
          return value
        case 'done':
          this.final = value
          this.over = true
          this.stage.endEstimates()
          await this.events.return()
          return undefined
        default:
          return value
      }
    } catch (error) {
      this.over = true
      this.failure = { error }
      this.stage.endEstimates()
      void this.stage.finish()
      await this.events.return().catch(() => undefined)
      return undefined
    }
  }
}
