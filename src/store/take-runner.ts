import type { BackendReport, DoneEvent, GenerationRequest, Rgba, Timings } from '../engine/types'
import { StudioError, type ErrorCode } from '../errors'
import { withChunkSeed } from '../flowmap/seeds'
import type { Generator } from '../worker/generator'
import type { ModelStore } from './model'
import { askedFrames, takeSeed, type RequestState, type RequestStore } from './request'
import { redoableChunk } from './redo'
import { MAX_SEED, randomSeed } from './seed'
import { beginTake, failTake, reduceTake, type TakeStore } from './take'

/** Pause after the last move of the Steps slider before the take is made again, ms. */
export const REMAKE_DELAY = 400

/** Pause after the last key before a running take without an end gets the new prompt, ms. */
export const PROMPT_DELAY = 600

/** How long a hand that was on its way to Generate may take to arrive, ms. */
const GRACE = 350

/** Errors that an edit of the prompt answers. */
const promptErrors: readonly ErrorCode[] = ['empty-prompt', 'prompt-too-long']

/** Errors that another image, clip or task answers. */
const sourceErrors: readonly ErrorCode[] = ['no-source']

/** Reads what a take begins with; `undefined` for nothing. */
export type GivenFrames = (frames: number, signal: AbortSignal) => Promise<readonly Rgba[] | undefined>

/** Makes takes. @param keep false for one of several that are compared: only the chosen one is worth keeping */
export interface TakeMaker extends Pick<Generator, 'setPrompt' | 'redoChunk'> {
  generate(request: GenerationRequest, signal: AbortSignal, keep: boolean): ReturnType<Generator['generate']>
}

/** Deals with one finished take of several; the next waits for it. */
export type EachTake = (request: GenerationRequest, timings: Timings) => Promise<void>

/** Takes that are made one after the other and stopped together. */
interface Job {
  readonly requests: readonly GenerationRequest[]
  readonly given?: GivenFrames
  readonly each?: EachTake
}

/** Runs takes one at a time and keeps the take store in step with them. */
export class TakeRunner {
  private running: { readonly controller: AbortController; readonly over: Promise<void> } | undefined
  /** Counts takes; what belongs to an earlier one than the last is dropped. */
  private latest = 0
  /** True while what runs is a finished take made again with other steps. */
  private remaking = false
  /** When the last re-make started, ms since the page's. */
  private remadeAt = -Infinity
  private remakeTimer: ReturnType<typeof setTimeout> | undefined
  private promptTimer: ReturnType<typeof setTimeout> | undefined
  /** Told the times of every take that ran to its end. */
  onMeasured: ((request: GenerationRequest, timings: Timings) => void) | undefined

  constructor(
    private readonly maker: TakeMaker,
    private readonly request: RequestStore,
    private readonly model: ModelStore,
    private readonly take: TakeStore,
    /** The frames that a take of so many begins with. */
    private readonly given: GivenFrames = () => Promise.resolve(undefined),
  ) {}

  /** Makes a take of the edited request. Resolves when it is over, however it ends; failures go to the store. */
  async generate(): Promise<void> {
    const request = this.editedRequest()
    if (!request) return
    const { endless } = this.request.getState()
    const frames = askedFrames(this.request.getState(), this.model.getState().loaded?.lengths ?? [])
    const wanted = endless && frames !== undefined ? { ...request, frames, endless } : request
    await this.run({ requests: [wanted], given: this.given })
  }

  /**
   * Makes the edited request at several numbers of steps, with the same seed, as one piece of work.
   * @param each called with every finished take before the next starts; its frames are on the stage.
   */
  async series(steps: readonly number[], each: EachTake): Promise<void> {
    const request = this.editedRequest()
    if (!request) return
    const requests = steps.map((count) => ({ ...request, steps: count, laterSteps: undefined }))
    await this.run({ requests, given: this.given, each })
  }

  /** Makes exactly this request. */
  async make(request: GenerationRequest): Promise<void> {
    clearTimeout(this.remakeTimer)
    this.remaking = false
    await this.run({ requests: [request] })
  }

  /**
   * Discards the last chunk and makes it again with another seed. A running take without an end goes on from there; a
   * finished one is made again whole, which gives its other chunks as they are.
   */
  async redoLastChunk(): Promise<void> {
    const state = this.take.getState()
    const manifest = this.model.getState().loaded?.manifest
    const chunk = redoableChunk(state, manifest)
    if (chunk === undefined || !state.shown) return
    const seed = randomSeed()
    if (state.phase === 'running') {
      this.take.setState({ redoing: true })
      await this.maker.redoChunk(seed)
      return
    }
    const { request } = state.shown
    await this.make({ ...request, chunkSeeds: withChunkSeed(request.chunkSeeds, { chunk, seed }) })
  }

  /** The request as edited, its seed marked as used; `undefined`, with the reason in the store, when it is none. */
  private editedRequest(): GenerationRequest | undefined {
    clearTimeout(this.remakeTimer)
    const seed = takeSeed(this.request)
    const { prompt, steps, laterSteps, chunkSeeds, length } = this.request.getState()
    if (seed === undefined) {
      this.fail(
        new StudioError(
          'bad-request',
          `The seed must be a whole number from 0 to ${MAX_SEED}. Correct it, or draw one.`,
        ),
      )
      return undefined
    }
    this.remaking = false
    const seeds = chunkSeeds === undefined ? {} : { chunkSeeds }
    return length === undefined ? undefined : { prompt, steps, laterSteps, seed, ...seeds, frames: length }
  }

  /**
   * True for a moment after a re-make started by itself: whoever presses what has just become Stop was reaching for
   * Generate.
   */
  get justRemade(): boolean {
    return this.remaking && performance.now() - this.remadeAt < GRACE
  }

  /** How many takes were begun: who waits for something compares it with what it was. */
  get begun(): number {
    return this.latest
  }

  /** Ends what runs, and a re-make that waits. Resolves when the engine has let go. */
  async stop(): Promise<void> {
    clearTimeout(this.remakeTimer)
    const { running } = this
    running?.controller.abort()
    await running?.over
  }

  /** Gives up a re-make that waits: the steps were not moved by a hand on the slider. */
  forgetRemake(): void {
    clearTimeout(this.remakeTimer)
  }

  /** Follows the request: moving Steps re-makes the finished take, editing a refused prompt takes the error away. */
  requestChanged(now: RequestState, before: RequestState): void {
    const { phase } = this.take.getState()
    if (now.prompt !== before.prompt) {
      this.forgive(promptErrors)
      this.schedulePrompt()
    }
    const moved = now.steps !== before.steps || now.laterSteps !== before.laterSteps
    if (moved && (phase === 'done' || (phase === 'running' && this.remaking))) this.scheduleRemake()
  }

  /** The user chose another image, clip or task. */
  sourceChanged(): void {
    this.forgive(sourceErrors)
  }

  /** Takes an error away that was about something which has changed since. */
  private forgive(codes: readonly ErrorCode[]): void {
    const { phase, failure, shown } = this.take.getState()
    if (phase === 'error' && failure && codes.includes(failure.code))
      this.take.setState({ phase: shown ? 'done' : 'idle', failure: undefined })
  }

  /** A running take without an end follows the prompt, once its editor has stopped typing. */
  private schedulePrompt(): void {
    clearTimeout(this.promptTimer)
    this.promptTimer = setTimeout(() => {
      this.promptTimer = undefined
      this.sendPrompt()
    }, PROMPT_DELAY)
  }

  /** Before a take has started, it is its own prompt that it starts with. */
  private sendPrompt(): void {
    const { phase, request, video } = this.take.getState()
    const { prompt } = this.request.getState()
    if (phase === 'running' && video && request?.endless) void this.maker.setPrompt(prompt)
  }

  private scheduleRemake(): void {
    clearTimeout(this.remakeTimer)
    this.remakeTimer = setTimeout(() => {
      const request = this.remakeable()
      const { steps, laterSteps } = this.request.getState()
      if (!request || request.endless || this.model.getState().phase !== 'ready') return
      if (request.steps === steps && request.laterSteps === laterSteps) return
      this.remaking = true
      this.remadeAt = performance.now()
      void this.run({ requests: [{ ...request, steps, laterSteps }] })
    }, REMAKE_DELAY)
  }

  /** What moving Steps makes again: the re-make in flight, else the take that is seen, not one that was refused. */
  private remakeable(): GenerationRequest | undefined {
    const { phase, request, shown } = this.take.getState()
    if (phase === 'running') return this.remaking ? request : undefined
    return phase === 'done' && !shown?.playOnly ? shown?.request : undefined
  }

  private run(job: Job): Promise<void> {
    const before = this.running
    before?.controller.abort()
    const id = ++this.latest
    const controller = new AbortController()
    const over = this.consume(id, job, controller.signal, before?.over)
    this.running = { controller, over }
    return over
  }

  private async consume(
    id: number,
    { requests, given, each }: Job,
    signal: AbortSignal,
    before: Promise<void> | undefined,
  ): Promise<void> {
    const [first] = requests
    if (!first) return
    this.take.setState((state) => beginTake(state, first))
    await before
    // A newer take may have been asked for while the one before this was ending.
    if (id !== this.latest) return
    try {
      const frames = await given?.(first.frames, signal)
      for (const [index, request] of requests.entries()) {
        const wanted = frames ? { ...request, given: frames } : request
        if (index > 0) this.take.setState((state) => beginTake(state, wanted))
        const done = await this.follow(id, wanted, signal, each !== undefined)
        if (!done || id !== this.latest) return
        if (!each) continue
        await each(wanted, done.timings)
        // Until the last take is done the work is not.
        if (index === requests.length - 1) this.take.setState((state) => reduceTake(state, done), true)
      }
    } catch (error) {
      if (id !== this.latest) return
      if (error instanceof StudioError && error.code === 'aborted') {
        this.take.setState((state) => ({ phase: state.shown ? 'done' : 'idle', stopped: true }))
      } else this.fail(error)
    }
  }

  /**
   * Feeds a take's events to the store.
   * @param hold leaves the end of a whole take out, for the caller to add.
   * @returns how it ended when it was not stopped.
   */
  private async follow(
    id: number,
    request: GenerationRequest,
    signal: AbortSignal,
    hold: boolean,
  ): Promise<DoneEvent | undefined> {
    let done: DoneEvent | undefined
    for await (const event of this.maker.generate(request, signal, !hold)) {
      // A superseded take's frames are in the worker no longer; its events must not be counted.
      if (id !== this.latest) continue
      if (event.type === 'done' && !event.stopped) {
        done = event
        this.onMeasured?.(request, event.timings)
      }
      if (done && hold) this.take.setState({ timings: done.timings })
      else this.take.setState((state) => reduceTake(state, event), true)
      if (event.type === 'started') {
        this.noteBackend(event.backend)
        // Edited while it was being started. Who is still typing is waited for.
        const { prompt } = this.request.getState()
        if (prompt !== request.prompt && this.promptTimer === undefined) this.sendPrompt()
      }
    }
    return done
  }

  /** After a lost device a take may run on another backend than the model was loaded on. */
  private noteBackend(backend: BackendReport): void {
    const { loaded } = this.model.getState()
    if (loaded && loaded.backend !== backend) this.model.setState({ loaded: { ...loaded, backend } })
  }

  private fail(error: unknown): void {
    const failure =
      error instanceof StudioError
        ? { code: error.code, message: error.message }
        : { code: 'internal' as const, message: error instanceof Error ? error.message : String(error) }
    this.take.setState((state) => failTake(state, failure))
  }
}
