import { heldFrames } from '../engine/held-frames'
import type { GenerationEvent, GenerationRequest, PromptedEvent, Timings, UndoneEvent } from '../engine/types'
import { withChunkSeed } from '../flowmap/seeds'
import type { TakeHead } from '../gallery/records'
import type { Generator } from '../worker/generator'
import type { ShownTake } from './take'
import type { TakeMaker } from './take-runner'

/** Where takes are kept. Its calls report their own failures: a full disk must not end a take. */
export interface TakeKeeper {
  /** @param request the object that the take store holds, by which the take is known again */
  begin(head: TakeHead, request: GenerationRequest): void
  /** @param from frames before this one are not wanted any more */
  keep(head: TakeHead, first: number, frames: Uint8ClampedArray<ArrayBuffer>[], from?: number): Promise<void>
  /** Frames from `first` on, where a chunk begins, are made again: those that were kept are not part of the take. */
  truncate(head: TakeHead, first: number): Promise<void>
  finish(head: TakeHead, state: 'done' | 'stopped', timings: Timings | undefined): Promise<void>
}

/**
 * Makes takes and keeps them on the way. Each chunk is handed to the gallery as it is decoded, because a tab can be killed
 * without a word: `pagehide` gives no time to write, and a crash does not even fire it. So at most the chunk being
 * written is lost. A take's chunks are fetched from the stage before the take ends, hence before another can replace them.
 */
export class TakeRecorder implements TakeMaker {
  constructor(
    private readonly generator: Pick<Generator, 'generate' | 'getFrame' | 'setPrompt' | 'redoChunk'>,
    private readonly keeper: TakeKeeper,
    /** The model in use, as a record names it. */
    private readonly model: () => TakeHead['model'],
  ) {}

  async *generate(
    request: GenerationRequest,
    signal?: AbortSignal,
    keep = true,
  ): AsyncGenerator<GenerationEvent, void, void> {
    if (!keep) {
      yield* this.generator.generate(request, signal)
      return
    }
    let head: TakeHead | undefined
    let state: 'done' | 'stopped' = 'stopped'
    let timings: Timings | undefined
    let writing: Promise<void> | undefined
    // Without an end the gallery holds what the stage holds: the newest.
    let held = Infinity
    let dropped = 0
    try {
      for await (const event of this.generator.generate(request, signal)) {
        if (event.type === 'started') {
          head = this.head(event.request, event, event.backend.label)
          held = heldFrames(event.request, event)
        } else if (head && (event.type === 'prompted' || event.type === 'undone')) head = changed(head, event)
        else if (event.type === 'timing' || event.type === 'done') timings = event.timings
        if (event.type === 'done' && !event.stopped) state = 'done'
        // The page comes first.
        yield event
        if (event.type === 'undone' && head && writing) {
          await writing
          writing = this.keeper.truncate(head, event.first)
        } else if (event.type === 'frames' && head) {
          if (event.first === 0) this.keeper.begin(head, request)
          dropped = Math.max(dropped, event.first + event.count - held)
          const frames = await this.fetch(event.first - dropped, event.count)
          // One chunk is written while the next is made: packing may not run behind without bound.
          await writing
          writing = this.keeper.keep(head, event.first, frames, dropped)
        }
      }
    } finally {
      if (head && writing) {
        const over = head
        void writing.then(() => this.keeper.finish(over, state, timings))
      }
    }
  }

  setPrompt(prompt: string): Promise<void> {
    return this.generator.setPrompt(prompt)
  }

  redoChunk(seed: number): Promise<void> {
    return this.generator.redoChunk(seed)
  }

  /** Keeps a finished take that was made without keeping it. Its frames must be the ones on the stage. */
  async keepShown(shown: ShownTake, timings: Timings | undefined, backend: string): Promise<void> {
    const head = this.head(shown.request, shown, backend)
    this.keeper.begin(head, shown.request)
    await this.keeper.keep(head, 0, await this.fetch(0, shown.frames))
    await this.keeper.finish(head, shown.complete ? 'done' : 'stopped', timings)
  }

  private head(
    request: GenerationRequest,
    { width, height, fps }: Pick<TakeHead, 'width' | 'height' | 'fps'>,
    backend: string,
  ): TakeHead {
    const { prompt, steps, laterSteps, seed, chunkSeeds, frames, given, endless } = request
    const settings = {
      ...{ prompt, steps, seed, frames },
      ...(laterSteps === undefined ? {} : { laterSteps }),
      ...(chunkSeeds === undefined ? {} : { chunkSeeds }),
      ...(given === undefined ? {} : { givenFrames: given.length }),
      ...(endless === true ? { endless } : {}),
    }
    const made = { id: crypto.randomUUID(), made: Date.now(), request: settings, model: this.model() }
    return { ...made, backend, width, height, fps }
  }

  private async fetch(first: number, count: number): Promise<Uint8ClampedArray<ArrayBuffer>[]> {
    const pixels = await Promise.all(
      Array.from({ length: count }, (_, i) => this.generator.getFrame(first + i)),
    )
    return pixels.map(({ rgba }) => rgba)
  }
}

/** What the record says after the prompt changed, or a chunk got another seed, in the middle of the take. */
function changed(head: TakeHead, event: PromptedEvent | UndoneEvent): TakeHead {
  const { request } = head
  const { chunk } = event
  return event.type === 'prompted'
    ? {
        ...head,
        request: { ...request, prompts: [...(request.prompts ?? []), { chunk, prompt: event.prompt }] },
      }
    : {
        ...head,
        request: { ...request, chunkSeeds: withChunkSeed(request.chunkSeeds, { chunk, seed: event.seed }) },
      }
}
