/** Keeps the decoded frames, plays them on the preview canvas, and hands them out. */

import { StudioError } from '../errors'
import { sha256 } from '../models/hash'
import { Player } from '../render/player'
import { KeptTakes, type KeptTake } from './kept-takes'
import type {
  FramePixels,
  FromStage,
  Playback,
  PresentedClip,
  PreviewState,
  TileSync,
  ToStage,
} from './protocol'
import { Screen } from './screen'
import { StageEstimate } from './stage-estimate'

type Pixels = Uint8ClampedArray<ArrayBuffer>
type KeptShape = Omit<KeptTake, 'frames'>

/**
 * How far a take without an end may run ahead of what is watched, s. An edited prompt and another seed count from the next
 * chunk to be made: with more in between, what is done to a take would show long after.
 */
const LEAD = 1.5

export class Stage {
  private readonly player = new Player()
  private readonly screen = new Screen()
  private readonly kept = new KeptTakes()
  private readonly estimate = new StageEstimate()
  private readonly frames: Pixels[] = []
  private width = 0
  private height = 0
  private fps = 1
  /** Newest frames to hold, and how many older ones are gone: frame 0 here is frame `dropped` of the take. */
  private hold = Infinity
  private dropped = 0
  /** Sends the answer that keeps a live take from running ahead of the player. */
  private heldBack: (() => void) | undefined
  /** True while the engine is wanted at the end of its chunk, however far ahead that is. */
  private hurried = false
  /** Frames that can be shown: those with pixels, or more while the engine draws. */
  private count = 0
  private engineDraws = false
  private shown = -1
  /** The picture of an estimate that the canvas shows in place of that frame. */
  private shownPicture: Pixels | undefined
  private told: PreviewState | undefined
  /** True once somebody paused or sought since the take under way began: then the frame stays, whatever is coming. */
  private heldByHand = false
  private ticking = false
  private tilesTick = false
  /** Time that tiles have played, and when it was last counted, ms: they stand still while the preview is paused. */
  private tilesPlayed = 0
  private tilesCounted = 0
  private port: MessagePort | undefined

  constructor(private readonly onPreview: (state: PreviewState) => void) {}

  connect(port: MessagePort): void {
    this.port = port
    port.onmessage = (event: MessageEvent<ToStage>) => this.receive(event.data)
  }

  async attach(canvas: OffscreenCanvas): Promise<void> {
    this.screen.attach(canvas)
    await this.redraw()
  }

  attachEstimate(canvas: OffscreenCanvas): void {
    this.estimate.attach(canvas)
  }

  async resize(width: number, height: number): Promise<void> {
    this.screen.resize(width, height)
    await this.redraw()
  }

  play(): PreviewState {
    this.heldByHand = false
    this.player.play(performance.now())
    this.tick()
    return this.state()
  }

  async pause(): Promise<PreviewState> {
    this.heldByHand = true
    this.player.pause(performance.now())
    await this.redraw()
    await presented()
    return this.state()
  }

  async seek(frame: number): Promise<PreviewState> {
    this.heldByHand = true
    this.player.seek(frame)
    if (this.heldBack && !this.isAhead()) this.letGo()
    await this.redraw()
    await presented()
    return this.state()
  }

  setPlayback({ loop, rate }: Playback): PreviewState {
    this.player.setMode(loop, rate, performance.now())
    this.tick()
    return this.state()
  }

  /** Shows a clip that did not come from the engine, from its start, in place of the last take. */
  async present({ width, height, fps, frames }: PresentedClip): Promise<PreviewState> {
    this.begin({ width, height, fps })
    // What the engine has on the GPU is another take now.
    this.screen.cancelAnswers()
    this.frames.push(...frames)
    this.setCount(frames.length)
    await this.redraw()
    this.tick()
    return this.state()
  }

  /** @param kept of the frames held under this number; without, of those that play. @throws StudioError `no-frames` */
  frame(index: number, kept?: number): FramePixels {
    const { frames, width, height } = kept === undefined ? this.current : this.kept.get(kept)
    const rgba = frames[index]
    if (!rgba) {
      const has = frames.length === 0 ? 'none yet' : `0 to ${frames.length - 1}`
      throw new StudioError(
        'no-frames',
        `There is no frame ${index}; decoded frames: ${has}. Generate a clip first.`,
      )
    }
    return { index, width, height, rgba: rgba.slice() }
  }

  digest(): Promise<string> {
    const size = this.width * this.height * 4
    const all = new Uint8Array(size * this.frames.length)
    this.frames.forEach((rgba, i) => all.set(rgba, i * size))
    return sha256(all)
  }

  /** Holds the frames there are. Frames are never written to, so nothing is copied. @throws StudioError `no-frames` */
  keep(): number {
    this.frame(0)
    return this.kept.keep({ ...this.current, frames: this.frames.slice() })
  }

  /** Makes held frames the current ones. No take may be running. @throws StudioError `no-frames` */
  async showKept(id: number): Promise<PreviewState> {
    const take = this.kept.get(id)
    this.begin(take)
    this.frames.push(...take.frames)
    this.setCount(take.frames.length)
    await this.redraw()
    this.tick()
    return this.state()
  }

  dropKept(ids: readonly number[]): void {
    this.kept.drop(ids)
  }

  attachTile(canvas: OffscreenCanvas, id: number, sync: TileSync): number {
    const tile = this.kept.attach(canvas, id, sync, this.tilesPlayed)
    this.tickTiles()
    return tile
  }

  detachTile(tile: number): void {
    this.kept.detach(tile)
  }

  private get current(): KeptTake {
    const { frames, width, height, fps } = this
    return { frames, width, height, fps }
  }

  private begin({ width, height, fps }: KeptShape, hold = Infinity): void {
    this.frames.length = 0
    this.count = 0
    this.width = width
    this.height = height
    this.fps = fps
    this.engineDraws = false
    this.hold = hold
    this.hurried = false
    this.dropped = 0
    this.estimate.clear()
    this.screen.setVideoSize(width, height)
    this.player.reset(fps, performance.now(), Number.isFinite(hold))
  }

  private receive(message: ToStage): void {
    switch (message.type) {
      case 'bitmap':
        this.screen.answer(message.request, message.bitmap)
        return
      case 'begin':
        this.begin(message, message.hold)
        break
      case 'finish':
        this.player.finish(performance.now())
        this.hold = Infinity
        this.letGo()
        break
      case 'drawable':
        this.engineDraws = true
        this.setCount(message.count - this.dropped)
        break
      case 'pixels':
        message.frames.forEach((rgba, i) => {
          this.frames[message.first - this.dropped + i] = rgba
        })
        if (!this.engineDraws) this.setCount(this.frames.length)
        this.dropOldest()
        if (this.isAhead()) {
          this.heldBack = () => this.port?.postMessage({ type: 'done', seq: message.seq } satisfies FromStage)
          this.tick()
          return
        }
        break
      case 'truncate':
        this.frames.length = Math.min(this.frames.length, Math.max(0, message.count - this.dropped))
        this.estimate.clear()
        this.hurried = false
        this.setCount(this.frames.length)
        break
      case 'let-go':
        this.hurried = true
        this.letGo()
        break
      case 'estimate':
        // Nothing else has said yet what size the video is.
        if (this.count === 0) this.screen.setVideoSize(message.video.width, message.video.height)
        // A pause of the take before does not hide what is made now.
        if (this.estimate.set(message, performance.now())) this.heldByHand = false
        this.setCount(this.count)
        break
      case 'estimate-over':
        this.estimate.clear()
        this.setCount(this.count)
        break
      case 'device-gone':
        this.engineDraws = false
        this.screen.cancelAnswers()
        this.setCount(this.frames.length)
        break
    }
    this.port?.postMessage({ type: 'done', seq: message.seq } satisfies FromStage)
    this.tick()
  }

  /** Frees what is more than is to be held. */
  private dropOldest(): void {
    const excess = this.frames.length - this.hold
    if (excess <= 0) return
    this.frames.splice(0, excess)
    this.dropped += excess
    this.player.shift(excess, performance.now())
    this.count = this.frames.length
    this.shown = Math.max(-1, this.shown - excess)
  }

  /** True when a live take has made so much more than was seen that it is to wait. */
  private isAhead(): boolean {
    const limit = this.hurried ? this.hold / 2 : Math.min(this.hold / 2, LEAD * this.fps)
    return this.count - this.player.frameAt(performance.now()) > limit
  }

  /** True while a new take, or the promise of one, may take the place of a paused picture. */
  private get showsComing(): boolean {
    return this.estimate.isFirst && !this.heldByHand
  }

  private letGo(): void {
    this.heldBack?.()
    this.heldBack = undefined
  }

  private setCount(count: number): void {
    this.count = count
    this.player.setCount(count, performance.now(), this.estimate.tail(count, this.dropped))
  }

  private state(): PreviewState {
    return {
      ...{ frame: this.shown, count: this.count, playing: this.player.playing },
      ...(this.shownPicture ? { estimate: true } : {}),
      ...(this.heldBack ? { waiting: true } : {}),
    }
  }

  private tell(): void {
    const state = this.state()
    const { told } = this
    const keys = ['frame', 'count', 'playing', 'estimate', 'waiting'] as const
    if (told && keys.every((key) => told[key] === state[key])) return
    this.told = state
    this.onPreview(state)
  }

  /** Keeps drawing what is due, at the display's rate, while something plays. */
  private tick(): void {
    if (this.ticking) return
    this.ticking = true
    const again = async (): Promise<void> => {
      try {
        if (this.heldBack && !this.isAhead()) this.letGo()
        const { frame, picture } = this.due(performance.now())
        if (frame !== this.shown || picture !== this.shownPicture) await this.redraw()
        else this.tell()
      } finally {
        const moves = this.count > 0 || this.estimate.size !== undefined
        if ((this.player.playing || this.showsComing) && moves) nextFrame(() => void again())
        else this.ticking = false
      }
    }
    void again()
  }

  /** Keeps the tiles playing while there are any. */
  private tickTiles(): void {
    if (this.tilesTick) return
    this.tilesTick = true
    this.tilesCounted = performance.now()
    const again = (): void => {
      const now = performance.now()
      if (this.player.playing) this.tilesPlayed += now - this.tilesCounted
      this.tilesCounted = now
      this.kept.draw(this.tilesPlayed, this.shown)
      if (this.kept.hasTiles) nextFrame(again)
      else this.tilesTick = false
    }
    again()
  }

  /** What is to be on the canvas: a frame (-1 without any), or in its place a picture of what is being made. */
  private due(now: number): { frame: number; picture: Pixels | undefined } {
    const due = this.player.frameAt(now)
    const frame = Math.min(due, this.count - 1)
    // Who pauses wants to see that frame.
    if (!this.player.playing && this.count > 0 && !this.showsComing) return { frame, picture: undefined }
    if (this.estimate.covers(this.count, now) || this.player.isWaiting(now))
      return { frame, picture: this.estimate.inTurn(now) }
    return { frame, picture: due > frame ? this.estimate.at(due + this.dropped) : undefined }
  }

  /** Draws what is due and waits until it is on the canvas. */
  private async redraw(): Promise<void> {
    const { frame: due, picture } = this.due(performance.now())
    const size = this.estimate.size
    if (picture && size) {
      // A newer estimate does not make this one wrong, and waiting for it could go on and on.
      const isDue = (): boolean => this.due(performance.now()).picture !== undefined
      if (!(await this.screen.showSmall(picture, size.width, size.height, isDue))) return
      this.shownPicture = picture
      this.shown = due
      this.tell()
      return
    }
    if (due < 0 && this.shownPicture) this.screen.clear()
    if (due >= 0) {
      const drawn =
        (this.engineDraws && (await this.screen.showDrawn(due + this.dropped, this.port))) ||
        (await this.showPixels(due))
      if (!drawn) return
    }
    this.shownPicture = undefined
    this.shown = due
    this.tell()
  }

  private async showPixels(index: number): Promise<boolean> {
    const rgba = this.frames[index]
    if (!rgba) return false
    await this.screen.showPixels(rgba)
    return true
  }
}

function nextFrame(callback: () => void): void {
  if (typeof requestAnimationFrame === 'function') requestAnimationFrame(callback)
  else setTimeout(callback, 16)
}

/** Resolves when what was drawn had time to reach the page: at the next display frame, or soon in a hidden page. */
function presented(): Promise<void> {
  return new Promise((resolve) => {
    nextFrame(resolve)
    setTimeout(resolve, 50)
  })
}
