import type { TakeState, TakeStore } from './take'

/** What a finished take measured on this machine. */
export interface ModelSpeed {
  /** Label of the backend, e.g. "WASM, 2 threads". */
  readonly backend: string
  /** Mean of one network pass and of one decoded frame, ms. */
  readonly passMs: number
  readonly frameMs: number
  /** Frames made in a second of the whole take, at `steps` steps. */
  readonly framesPerSecond: number
  readonly steps: number
  /** When, ms since 1970. */
  readonly measured: number
}

const KEY = 'anyflow.speed'

/** Last measured speed of each model, by its id; only whole takes count. */
export class SpeedLog {
  constructor(private readonly local: Pick<Storage, 'getItem' | 'setItem'>) {}

  of(modelId: string): ModelSpeed | undefined {
    return this.read()[modelId]
  }

  /** Follows a take store. @param now what runs: the loaded model's id and the backend's label */
  follow(take: TakeStore, now: () => { modelId: string; backend: string } | undefined): () => void {
    return take.subscribe((state, before) => {
      if (state.phase !== 'done' || before.phase !== 'running') return
      const running = now()
      const speed = running && speedOf(state, running.backend)
      if (speed) this.local.setItem(KEY, JSON.stringify({ ...this.read(), [running.modelId]: speed }))
    })
  }

  private read(): Record<string, ModelSpeed> {
    try {
      const json: unknown = JSON.parse(this.local.getItem(KEY) ?? '{}')
      return typeof json === 'object' && json !== null ? (json as Record<string, ModelSpeed>) : {}
    } catch {
      return {}
    }
  }
}

/** What a take that was just made says about the machine; nothing when it was stopped. */
export function speedOf(state: TakeState, backend: string, now = Date.now()): ModelSpeed | undefined {
  const { timings, request, frames, stopped } = state
  if (stopped || !timings?.passMs || !timings.frameMs || !request || frames === 0) return undefined
  return {
    backend,
    passMs: timings.passMs,
    frameMs: timings.frameMs,
    framesPerSecond: (frames * 1000) / timings.totalMs,
    steps: request.steps,
    measured: now,
  }
}
