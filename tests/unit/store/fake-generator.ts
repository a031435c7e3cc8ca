import type { GenerationEvent, GenerationRequest } from '../../../src/engine/types'
import { AbortedError, type StudioError } from '../../../src/errors'
import type { FramePixels, PreviewState } from '../../../src/worker/protocol'
import type { Generator } from '../../../src/worker/generator'

const timings = { totalMs: 1 }
const backend = { backend: 'wasm', label: 'WASM', reason: 'A test.', adapter: '', threads: 1 } as const

/** A generator whose takes advance one frame each time `step` is called. No model, no worker: for store tests alone. */
export class FakeGenerator {
  readonly requests: GenerationRequest[] = []
  /** Thrown by the next take after `failAfter` frames. */
  failure: StudioError | undefined
  failAfter = 0
  /** Numbers that takes are held under, and what was asked of them. */
  readonly kept = new Set<number>()
  readonly shownKept: number[] = []
  private wake: (() => void) | undefined

  async *generate(
    request: GenerationRequest,
    signal?: AbortSignal,
  ): AsyncGenerator<GenerationEvent, void, void> {
    if (signal?.aborted) throw new AbortedError()
    this.requests.push(request)
    yield { type: 'started', request, width: 4, height: 4, fps: 16, chunks: request.frames, backend }
    let frames = 0
    while (frames < request.frames) {
      if (this.failure && frames === this.failAfter) throw this.failure
      await this.nextStep(signal)
      if (signal?.aborted) {
        yield { type: 'done', stopped: true, frames, timings }
        return
      }
      yield { type: 'frames', first: frames++, count: 1 }
    }
    yield { type: 'done', stopped: false, frames, timings }
  }

  /** Lets the take make one more frame. */
  async step(): Promise<void> {
    this.wake?.()
    await settle()
  }

  keep(): Promise<number> {
    const id = this.kept.size + this.shownKept.length + 1
    this.kept.add(id)
    return Promise.resolve(id)
  }

  showKept(kept: number): Promise<PreviewState> {
    this.shownKept.push(kept)
    return Promise.resolve({ frame: 0, count: 3, playing: true })
  }

  dropKept(kept: readonly number[]): Promise<void> {
    for (const id of kept) this.kept.delete(id)
    return Promise.resolve()
  }

  getFrame(index: number): Promise<FramePixels> {
    return Promise.resolve({ index, width: 1, height: 1, rgba: Uint8ClampedArray.of(index, 0, 0, 255) })
  }

  asGenerator(): Generator {
    return this as unknown as Generator
  }

  private nextStep(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
  }
}

/** Waits until all promises that can settle have. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve()
}
