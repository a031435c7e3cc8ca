/** `Generator` over the two workers. */

import type { GenerationEvent, GenerationRequest, LoadedModel, LoadOptions } from '../engine/types'
import { AbortedError, StudioError } from '../errors'
import type { Generator } from './generator'
import type {
  EngineCalls,
  FramePixels,
  Playback,
  PresentedClip,
  PreviewState,
  StageCalls,
  TileSync,
  TokenCount,
} from './protocol'
import { RpcClient, type WorkerLike } from './rpc'
import { StopFlag } from './stop-flag'

export type { Generator } from './generator'

/** Starts the workers. The URLs must be written this way for Vite to bundle them. */
export function createGenerator(): Generator {
  const engine = new Worker(new URL('./engine.worker.ts', import.meta.url), {
    type: 'module',
    name: 'engine',
  })
  const stage = new Worker(new URL('./stage.worker.ts', import.meta.url), { type: 'module', name: 'stage' })
  return new WorkerGenerator(engine, stage)
}

/** The proxy; tests may give it anything that posts messages. */
export class WorkerGenerator implements Generator {
  private readonly engine: RpcClient<EngineCalls>
  private readonly stage: RpcClient<StageCalls>
  private readonly listeners = new Set<(state: PreviewState) => void>()
  /** Of the take asked for last. */
  private stopFlag: StopFlag | undefined

  constructor(engine: WorkerLike, stage: WorkerLike) {
    this.engine = new RpcClient(engine)
    this.stage = new RpcClient(stage, (state) => {
      for (const listener of this.listeners) listener(state)
    })
    const { port1, port2 } = new MessageChannel()
    // A worker that cannot start rejects the calls that follow.
    this.engine.call('connect', { stage: port1 }, { transfer: [port1] }).catch(() => undefined)
    this.stage.call('connect', { engine: port2 }, { transfer: [port2] }).catch(() => undefined)
  }

  load(url: string, options: LoadOptions): Promise<LoadedModel> {
    const absolute = new URL(url, (globalThis.location as Location | undefined)?.href).href
    const { backend, onProgress, signal } = options
    return this.engine.call('load', { url: absolute, backend }, { onProgress, signal })
  }

  countTokens(prompt: string): Promise<TokenCount> {
    return this.engine.call('countTokens', { prompt })
  }

  async *generate(
    request: GenerationRequest,
    signal?: AbortSignal,
  ): AsyncGenerator<GenerationEvent, void, void> {
    const aborted = (): boolean => signal?.aborted === true
    if (aborted()) throw new AbortedError()
    // The call that starts a take also ends the one before it, but waits in line behind that one's work.
    this.stopFlag?.raise()
    const flag = StopFlag.create()
    this.stopFlag = flag
    const { take } = await this.engine.call('start', { request, stopFlag: flag?.buffer })
    // The flag ends the work, the message whatever the worker waits for.
    const stop = (): void => {
      flag?.raise()
      void this.engine.call('stop', { take }).catch(() => undefined)
    }
    signal?.addEventListener('abort', stop, { once: true })
    // An abort that arrived while `start` was on its way.
    if (aborted()) stop()
    let over = false
    // One event ahead of the consumer, so that the engine works on while the page shows the last one.
    const pull = (): Promise<GenerationEvent | undefined> => {
      const event = this.engine.call('next', { take })
      // A consumer that leaves never awaits it.
      event.catch(() => undefined)
      return event
    }
    try {
      let ahead = pull()
      for (;;) {
        const event = await ahead
        over = event === undefined || event.type === 'done'
        if (event === undefined) return
        if (!over) ahead = pull()
        // Given frames do not make the way back; the request is this one.
        yield event.type === 'started' ? { ...event, request } : event
        if (over) return
      }
    } catch (error) {
      over = true
      throw error
    } finally {
      signal?.removeEventListener('abort', stop)
      if (!over) await this.abandon(take, flag)
    }
  }

  async setPrompt(prompt: string): Promise<void> {
    await this.engine.call('setPrompt', { prompt })
  }

  async redoChunk(seed: number): Promise<void> {
    await this.engine.call('redoChunk', { seed })
  }

  async attachCanvas(canvas: OffscreenCanvas): Promise<void> {
    await this.stage.call('attachCanvas', { canvas }, { transfer: [canvas] })
  }

  async resizeCanvas(width: number, height: number): Promise<void> {
    await this.stage.call('resizeCanvas', { width, height })
  }

  async attachEstimate(canvas: OffscreenCanvas): Promise<void> {
    await this.stage.call('attachEstimate', { canvas }, { transfer: [canvas] })
  }

  play(): Promise<PreviewState> {
    return this.stage.call('play', {})
  }

  pause(): Promise<PreviewState> {
    return this.stage.call('pause', {})
  }

  seek(frame: number): Promise<PreviewState> {
    return this.stage.call('seek', { frame })
  }

  setPlayback(playback: Playback): Promise<PreviewState> {
    return this.stage.call('setPlayback', playback)
  }

  present(clip: PresentedClip): Promise<PreviewState> {
    return this.stage.call('present', clip, { transfer: clip.frames.map(({ buffer }) => buffer) })
  }

  onPreview(listener: (state: PreviewState) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  getFrame(index: number, kept?: number): Promise<FramePixels> {
    return this.stage.call('getFrame', { index, kept })
  }

  digest(): Promise<string> {
    return this.stage.call('digest', {})
  }

  async keep(): Promise<number> {
    return (await this.stage.call('keep', {})).kept
  }

  showKept(kept: number): Promise<PreviewState> {
    return this.stage.call('showKept', { kept })
  }

  async dropKept(kept: readonly number[]): Promise<void> {
    await this.stage.call('dropKept', { kept })
  }

  async attachTile(canvas: OffscreenCanvas, kept: number, sync: TileSync): Promise<number> {
    return (await this.stage.call('attachTile', { canvas, kept, sync }, { transfer: [canvas] })).tile
  }

  async detachTile(tile: number): Promise<void> {
    await this.stage.call('detachTile', { tile })
  }

  async destroyDevice(): Promise<void> {
    await this.engine.call('destroyDevice', {})
  }

  async dispose(): Promise<void> {
    await this.engine.call('dispose', {}).catch(() => undefined)
    const closed = new StudioError('disposed', 'The generator was closed.')
    this.engine.end(closed)
    this.stage.end(closed)
  }

  /** The consumer left early: stop the take and fetch its last event, so that the worker frees it. */
  private async abandon(take: number, flag: StopFlag | undefined): Promise<void> {
    flag?.raise()
    try {
      await this.engine.call('stop', { take })
      for (;;) {
        const event = await this.engine.call('next', { take })
        if (event === undefined || event.type === 'done') return
      }
    } catch {
      // A failure of a take nobody listens to.
    }
  }
}
