import { createStore, type StoreApi } from 'zustand/vanilla'

import type { Generator } from '../worker/generator'
import type { TakeState, TakeStore } from './take'

export interface PlaybackState {
  readonly loop: boolean
  /** 1 is the clip's own speed; negative plays backwards. */
  readonly rate: number
  /** The numbers over the picture. */
  readonly hud: boolean
  /** The frame that the last seek goes to, until it is there: keys come faster than frames are drawn. */
  readonly target: number | undefined
}

/** Speeds that are offered. */
export const SPEEDS = [0.25, 0.5, 1, 2, 4] as const

/** The fastest that J and L go. */
const FASTEST = 4

const KEY = 'anyflow.playback'

/** True when playing would show nothing new: the clip does not loop and stands at its end. */
export function isAtEnd({ loop, rate }: PlaybackState, { phase, preview, shown }: TakeState): boolean {
  if (loop || !shown || phase === 'running') return false
  return rate > 0 ? preview.frame >= shown.frames - 1 : preview.frame <= 0
}

/** How the preview plays, and every way to move in it. Without frames all of it does nothing. */
export class Playback {
  readonly store: StoreApi<PlaybackState>

  constructor(
    private readonly generator: Pick<Generator, 'play' | 'pause' | 'seek' | 'setPlayback'>,
    private readonly take: TakeStore,
    private readonly local: Pick<Storage, 'getItem' | 'setItem'>,
  ) {
    const { loop, hud } = remembered(local)
    this.store = createStore<PlaybackState>()(() => ({ loop, hud, rate: 1, target: undefined }))
    if (!loop) void generator.setPlayback({ loop, rate: 1 })
    // Backwards there is nothing to see of a take whose frames are still coming.
    take.subscribe((now, before) => {
      const begun = now.phase === 'running' && before.phase !== 'running'
      if (begun && this.store.getState().rate < 0) void this.setRate(1)
    })
  }

  /** Plays or pauses; at the end of a clip that does not loop, plays from the start. */
  async toggle(): Promise<void> {
    const { preview, shown } = this.take.getState()
    if (!shown) return
    const ended = isAtEnd(this.store.getState(), this.take.getState())
    if (preview.playing && !ended) {
      await this.pause()
      return
    }
    await this.playAfter(
      this.store.getState().rate < 0 ? this.setRate(1) : undefined,
      ended ? this.seek(0) : undefined,
    )
  }

  async pause(): Promise<void> {
    if (this.has) this.take.setState({ preview: await this.generator.pause() })
  }

  /** Pauses on a frame. */
  async seek(frame: number): Promise<void> {
    this.store.setState({ target: frame })
    try {
      const preview = await this.generator.seek(frame)
      // While another seek is on its way, its answer is the one that counts.
      if (this.isTarget(frame)) this.take.setState({ preview })
    } finally {
      if (this.isTarget(frame)) this.store.setState({ target: undefined })
    }
  }

  /** Pauses `by` frames further; stays within what there is. */
  async step(by: number): Promise<void> {
    const { preview, shown } = this.take.getState()
    const from = this.store.getState().target ?? preview.frame
    if (shown) await this.seek(Math.min(Math.max(from + by, 0), shown.frames - 1))
  }

  /** J and L: plays in a direction, and twice as fast each time it already does. */
  async shuttle(direction: 1 | -1): Promise<void> {
    if (!this.has) return
    const { rate } = this.store.getState()
    const going = this.take.getState().preview.playing && Math.sign(rate) === direction
    await this.playAfter(this.setRate(going ? direction * Math.min(2 * Math.abs(rate), FASTEST) : direction))
  }

  async setRate(rate: number): Promise<void> {
    this.store.setState({ rate })
    const { loop } = this.store.getState()
    this.take.setState({ preview: await this.generator.setPlayback({ loop, rate }) })
  }

  async setLoop(loop: boolean): Promise<void> {
    this.store.setState({ loop })
    this.remember()
    const { rate } = this.store.getState()
    this.take.setState({ preview: await this.generator.setPlayback({ loop, rate }) })
  }

  toggleHud(): void {
    this.store.setState(({ hud }) => ({ hud: !hud }))
    this.remember()
  }

  /**
   * Plays once the calls given have been made. The stage gets them in order, so none waits for the answer of another: a
   * pause by the next key would otherwise overtake the play. Answers count in the order in which they come.
   */
  private async playAfter(...calls: (Promise<void> | undefined)[]): Promise<void> {
    const playing = this.generator.play().then((preview) => this.take.setState({ preview }))
    await Promise.all([...calls, playing])
  }

  private isTarget(frame: number): boolean {
    return this.store.getState().target === frame
  }

  private get has(): boolean {
    return this.take.getState().shown !== undefined
  }

  private remember(): void {
    const { loop, hud } = this.store.getState()
    this.local.setItem(KEY, JSON.stringify({ loop, hud }))
  }
}

function remembered(local: Pick<Storage, 'getItem'>): Pick<PlaybackState, 'loop' | 'hud'> {
  try {
    const json = JSON.parse(local.getItem(KEY) ?? '{}') as { loop?: unknown; hud?: unknown } | null
    return { loop: json?.loop !== false, hud: json?.hud === true }
  } catch {
    return { loop: true, hud: false }
  }
}
