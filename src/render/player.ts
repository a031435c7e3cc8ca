/** The preview's clock: which of the frames so far is due. Pure; the stage drives it. */

/** Plays a growing number of frames, in a loop unless told otherwise. Times are milliseconds of any steady clock. */
export class Player {
  private count = 0
  /** Frames after those, which are being made: a loop goes through them too, a live stream never does. */
  private tail = 0
  private fps = 1
  /** Frame shown at `since`. */
  private anchor = 0
  private since = 0
  private loop = true
  /** 1 is the clip's own speed; negative plays backwards. */
  private rate = 1
  playing = true
  /** A live stream waits at its last frame for more; anything else loops. */
  private live = false

  /** Starts over, playing, with no frames. */
  reset(fps: number, now: number, live = false): void {
    this.live = live
    this.fps = fps
    this.count = 0
    this.tail = 0
    this.anchor = 0
    this.since = now
    this.playing = true
  }

  /**
   * More (or after a loss fewer) frames. The loop goes on from the frame that is shown.
   * @param tail frames after those that can be shown as estimates.
   */
  setCount(count: number, now: number, tail = 0): void {
    const current = this.frameAt(now)
    // The first frame starts the clock; later ones keep the beat.
    if (this.count === 0) this.since = now
    else if (this.playing && current >= 0) this.rebase(current, now)
    this.count = count
    this.tail = tail
    // A live stream whose newest frames were taken back waits at its end; a clip starts over.
    if (this.anchor >= count + tail) this.anchor = this.live ? Math.max(0, count - 1) : 0
  }

  /** True when a later frame would be due if there was one. */
  isWaiting(now: number): boolean {
    if (!this.playing || this.count === 0 || this.rate < 0 || !(this.live || !this.loop)) return false
    return this.anchor + this.passed(now) >= this.count
  }

  /** The live stream is over: what there is loops from the frame that is shown. */
  finish(now: number): void {
    if (!this.live) return
    const current = this.frameAt(now)
    if (this.playing && current >= 0) this.rebase(current, now)
    this.live = false
  }

  /** The oldest frames are gone, and all others have moved up. */
  shift(dropped: number, now: number): void {
    const current = this.frameAt(now)
    if (current < 0) return
    if (this.playing) this.rebase(current, now)
    this.anchor = Math.max(0, this.anchor - dropped)
    this.count = Math.max(0, this.count - dropped)
  }

  play(now: number): void {
    if (!this.playing) this.since = now
    this.playing = true
  }

  pause(now: number): void {
    this.anchor = Math.min(Math.max(0, this.frameAt(now)), Math.max(0, this.count - 1))
    this.playing = false
  }

  /** Looping and speed from now on, also for later clips. What is shown stays. */
  setMode(loop: boolean, rate: number, now: number): void {
    const current = this.frameAt(now)
    if (current >= 0) this.anchor = current
    this.since = now
    this.loop = loop
    this.rate = rate
  }

  /** Pauses on a frame, clamped to those that exist. */
  seek(frame: number): void {
    this.playing = false
    this.anchor = Math.min(Math.max(0, Math.round(frame)), Math.max(0, this.count - 1))
  }

  /** The frame due, or -1 without frames; from the count on, an estimate is. */
  frameAt(now: number): number {
    if (this.count === 0) return -1
    if (!this.playing) return this.anchor
    const frame = this.anchor + Math.sign(this.rate) * this.passed(now)
    if (this.live || !this.loop) return Math.min(Math.max(frame, 0), this.count - 1)
    const length = this.rate > 0 ? this.count + this.tail : this.count
    // The remainder of a negative number is negative.
    return ((frame % length) + length) % length
  }

  /** Whole frames since the anchor. */
  private passed(now: number): number {
    return Math.floor(((now - this.since) * this.fps * Math.abs(this.rate)) / 1000)
  }

  /** Keeps the part of a frame's time that has passed. */
  private rebase(frame: number, now: number): void {
    const period = 1000 / (this.fps * Math.abs(this.rate))
    this.since = now - ((now - this.since) % period)
    this.anchor = frame
  }
}
