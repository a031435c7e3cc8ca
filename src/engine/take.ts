/** One take from features to frames: the rollout and the decoder, interleaved, as a pulled stream of events. */

import { RequestError } from '../errors'
import { type Chunk, latentFrames, pixelFrames } from '../flowmap/chunks'
import { endlessChunk, endlessRollout, type UndoEvent } from '../flowmap/endless'
import { rollout, type RolloutEvent } from '../flowmap/rollout'
import { sigmaSchedule } from '../flowmap/schedule'
import type { Manifest } from '../models/manifest'
import type { Tensor } from '../runtime/ort'
import type { Graph, Runtime } from '../runtime/runtime'
import { wasmBytes } from '../runtime/wasm-meter'
import { StreamingDecoder } from './decoder'
import { StreamingEncoder } from './encoder'
import { type EstimateEvent, Estimator } from './estimate'
import { framesOfChunk, passesOf, planTake } from './plan'
import { EndlessProgress, Progress, type ProgressReport } from './progress'
import { Stopwatch } from './stopwatch'
import type { TextFeatures } from './text-encoder'
import { FarTransformer, latentShape } from './transformer'
import type {
  DoneEvent,
  FramesEvent,
  GenerationRequest,
  ProgressEvent,
  PromptedEvent,
  StartedEvent,
  TimingEvent,
  UndoneEvent,
  Timings,
} from './types'

/**
 * Decoded frames where the decoder left them: rows `offset .. offset + count - 1` of `tensor` `[4, 3, H, W]`, values
 * in 0..1 that may overshoot. Valid until the next event is asked for.
 */
export interface DecodedFrames extends FramesEvent {
  readonly tensor: Tensor
  readonly offset: number
  readonly runtime: Runtime
}

export type EngineEvent =
  | StartedEvent
  | ProgressEvent
  | EstimateEvent
  | DecodedFrames
  | UndoneEvent
  | PromptedEvent
  | TimingEvent
  | DoneEvent

export interface TakeOptions {
  readonly runtime: Runtime
  readonly manifest: Manifest
  readonly graphs: { readonly step: Graph; readonly cache: Graph; readonly decoder: Graph }
  readonly request: GenerationRequest
  readonly encodeText: (prompt: string) => Promise<TextFeatures>
  /** Compiles the encoder, which only takes with given frames need. */
  readonly openEncoder?: () => Promise<Graph>
  readonly controls?: TakeControls
}

/** What may change while a take is made; each is asked for when it matters. */
export interface TakeControls {
  /** True once the take is to end. */
  readonly isStopped?: () => boolean
  /** The prompt as it stands now. A take without an end looks before every chunk; a change counts from there on. */
  readonly prompt?: () => string
  /** The seed to make the newest chunk of a take without an end again with; asked for once a pass, given once. */
  readonly redo?: () => number | undefined
}

/**
 * Makes a take. Whether it is to stop is looked at before every pass, every cache write, every encoded chunk and every
 * decoded latent frame.
 */
export async function* makeTake(options: TakeOptions): AsyncGenerator<EngineEvent, void, void> {
  const { runtime, manifest, request, controls = {} } = options
  const { video, transformer } = manifest
  // Without an end this is the window that a chunk looks back over.
  const plan = planTake(request, manifest)
  const chunks = plan.map(({ chunk }) => chunk)
  const endless = request.endless === true
  const passes = passesOf(request, manifest)
  const chunkAt = (index: number): Chunk | undefined =>
    endless ? endlessChunk(index, transformer.chunkPlan) : chunks[index]
  const stepsAt = (index: number): number => {
    const chunk = chunkAt(index)
    return chunk ? passes(chunk) : 0
  }
  const stopwatch = new Stopwatch()
  const progress: ProgressReport = endless ? new EndlessProgress(stepsAt) : new Progress(plan)
  let frames = 0
  const aborted = (): boolean => controls.isStopped?.() === true
  const measured = (): Timings => ({
    ...stopwatch.timings(),
    gpuBytes: runtime.gpuBytes,
    wasmBytes: wasmBytes(),
  })
  const done = (): DoneEvent => ({ type: 'done', stopped: aborted(), frames, timings: measured() })

  yield {
    type: 'started',
    request,
    width: video.width,
    height: video.height,
    fps: video.fps,
    chunks: endless ? 0 : chunks.length,
    backend: runtime.report,
  }
  yield progress.event('text', 0)
  if (aborted()) return yield done()
  const text = await options.encodeText(request.prompt)
  stopwatch.setText(text.milliseconds)

  const seeds = new Map(request.chunkSeeds?.map(({ chunk, seed }) => [chunk, seed]))
  const model = new FarTransformer({
    runtime,
    manifest,
    step: options.graphs.step,
    cache: options.graphs.cache,
    seedOf: ({ index }) => seeds.get(index + 1) ?? request.seed,
    text: text.data,
    chunks,
    stopwatch,
  })
  const decoder = new StreamingDecoder(
    runtime,
    options.graphs.decoder,
    manifest.graphs.decoder,
    latentShape(video),
  )
  const estimator = Estimator.of(manifest, runtime.tensors, stopwatch)
  // Owned here until the rollout takes them over.
  const known: Tensor[] = []
  let stream: AsyncGenerator<RolloutEvent<Tensor> | UndoEvent, void, void> | undefined
  try {
    const given = request.given ?? []
    if (given.length > 0) {
      const encoder = await openEncoder(options)
      try {
        for (const { chunk, steps } of plan) {
          if (steps > 0) break
          yield progress.event('encode', chunk.index)
          if (aborted()) return yield done()
          known.push(await stopwatch.time('encode', () => encoder.encode(chunk, given), chunk.count))
          progress.add(chunk.count)
        }
      } finally {
        encoder.dispose()
      }
    }
    yield known.length > 0 ? progress.event('decode', 0) : progress.event('denoise', 0, 1)
    if (aborted()) return yield done()
    const shared = {
      sigmas: (chunk: Chunk) => sigmaSchedule(passes(chunk), transformer.shift),
      fullChunkLimit: transformer.fullChunkLimit,
      known: known.slice(),
    }
    const windowFrames = latentFrames(request.frames, video.temporalStride)
    let newSeed: number | undefined
    const redo = (): boolean => {
      const seed = controls.redo?.()
      newSeed = seed ?? newSeed
      return seed !== undefined
    }
    stream = endless
      ? endlessRollout(model, { ...shared, plan: transformer.chunkPlan, windowFrames, redo })
      : rollout(model, { ...shared, chunks })
    const prompts = new PromptFollower(options, model)
    let chunkStarted = performance.now()
    for (;;) {
      if (aborted()) return yield done()
      const pulled = stream.next()
      known.length = 0
      const { value: event } = await pulled
      if (!event) break
      const { chunk } = event
      if (event.type === 'pass') {
        progress.add(chunk.count)
        const estimate = estimator?.after(event)
        if (estimate) yield estimate
        if (event.step < passes(chunk)) yield progress.event('denoise', chunk.index, event.step + 1)
      } else if (event.type === 'undo') {
        decoder.rewind()
        const { first } = framesOfChunk(chunk, video.temporalStride)
        frames = first
        const seed = newSeed ?? request.seed
        seeds.set(chunk.index + 1, seed)
        chunkStarted = performance.now()
        yield { type: 'undone', chunk: chunk.index + 1, seed, first }
        yield progress.event('denoise', chunk.index, 1)
      } else if (event.type === 'chunk') {
        if (endless) decoder.mark()
        for (let i = 0; i < chunk.count; i++) {
          yield progress.event('decode', chunk.index)
          if (aborted()) return yield done()
          const isFirst = chunk.first + i === 0
          const count = isFirst ? 1 : video.temporalStride
          const tensor = await stopwatch.time('decode', () => decoder.decode(event.latents, i), count)
          try {
            stopwatch.markFrame()
            frames = pixelFrames(chunk.first + i + 1, video.temporalStride)
            progress.add(1)
            // The first latent frame stands for one pixel frame: the last of the four.
            const offset = video.temporalStride - count
            yield { type: 'frames', first: frames - count, count, tensor, offset, runtime }
          } finally {
            runtime.tensors.release(tensor)
          }
        }
        // A given chunk says nothing about the time that a made one takes.
        const isLast = chunkAt(chunk.index + 1) === undefined
        if (isLast) stopwatch.add('chunk', performance.now() - chunkStarted)
        yield { type: 'timing', timings: measured() }
        const isLookedBackFrom = stepsAt(chunk.index + 1) > 0
        if (isLookedBackFrom) {
          yield progress.event('cache', chunk.index)
          // The cache that is written next is under the new prompt, all of it.
          const prompt = endless ? await prompts.follow() : undefined
          if (prompt !== undefined) yield { type: 'prompted', chunk: chunk.index + 2, prompt }
        } else if (!isLast) chunkStarted = performance.now()
      } else {
        progress.add(chunk.count)
        if (passes(chunk) > 0) stopwatch.add('chunk', performance.now() - chunkStarted)
        chunkStarted = performance.now()
        yield progress.event('denoise', chunk.index + 1, 1)
      }
    }
    yield done()
  } finally {
    await stream?.return()
    for (const tensor of known) runtime.tensors.release(tensor)
    decoder.dispose()
    model.dispose()
  }
}

/** Gives the model the features of the prompt as it is edited. */
class PromptFollower {
  private current: string

  constructor(
    private readonly options: TakeOptions,
    private readonly model: FarTransformer,
  ) {
    this.current = options.request.prompt
  }

  /**
   * A prompt that cannot be used (empty, too long) changes nothing: its editor is being told.
   * @returns the prompt that counts from here on, if it is another one than before
   */
  async follow(): Promise<string | undefined> {
    const prompt = this.options.controls?.prompt?.() ?? this.current
    if (prompt === this.current || prompt.trim() === '') return undefined
    try {
      const { data } = await this.options.encodeText(prompt)
      this.model.setText(data)
      this.current = prompt
      return prompt
    } catch (error) {
      if (!(error instanceof RequestError)) throw error
      return undefined
    }
  }
}

async function openEncoder({ runtime, manifest, openEncoder: open }: TakeOptions): Promise<StreamingEncoder> {
  const spec = manifest.graphs.encoder
  if (!spec || !open) {
    throw new RequestError(
      'bad-request',
      `The model ${manifest.name} has no encoder, so it cannot begin with given frames. Choose the Text tab, or another model.`,
    )
  }
  return new StreamingEncoder(runtime, await open(), spec, manifest.video)
}
