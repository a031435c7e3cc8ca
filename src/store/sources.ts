import type { Rgba } from '../engine/types'
import { RequestError } from '../errors'
import { unlessAborted } from '../media/abort'
import { type Clip, heldClip, openClip } from '../media/clip'
import type { Size } from '../media/fit'
import { cropPicture, openPicture, type Picture, takePicture } from '../media/picture'
import { MediaError } from '../media/pixels'
import type { Generator } from '../worker/generator'
import type { ModelStore } from './model'
import {
  createSourceStore,
  encoderProblem,
  type GivenTask,
  leadLength,
  leadProblem,
  type SourceStore,
  type Task,
} from './source'
import type { ShownTake, TakeStore } from './take'

/** How files become pictures and clips; a test hands in its own. */
export interface MediaReader {
  openPicture(file: Blob, name: string, frame: Size): Promise<Picture>
  takePicture(video: HTMLVideoElement, name: string, frame: Size): Promise<Picture>
  cropPicture(picture: Picture, position: number): Rgba
  openClip(file: Blob, name: string, fps: number, frame: Size, signal: AbortSignal): Promise<Clip>
}

const browserMedia: MediaReader = { openPicture, takePicture, cropPicture, openClip }

/** Something on its way to become a picture or a clip. */
interface Reading {
  /** Fires when something else takes its place. */
  readonly controller: AbortController
  /** What went wrong, for people; nothing when it was read, or given up. */
  readonly over: Promise<string | undefined>
}

/** What takes begin with, and where it comes from: files, the camera, the take that is shown. */
export class Sources {
  readonly store: SourceStore = createSourceStore()
  private readonly readings = new Map<GivenTask, Reading>()
  /** Size and rate that pictures and clips are scaled to. */
  private shape: string | undefined

  constructor(
    private readonly generator: Pick<Generator, 'getFrame'>,
    private readonly model: ModelStore,
    private readonly take: TakeStore,
    private readonly media: MediaReader = browserMedia,
  ) {
    // What was scaled for one model does not fit another.
    model.subscribe(({ loaded }) => {
      if (!loaded) return
      const { width, height, fps } = loaded.manifest.video
      const shape = `${width} x ${height}, ${fps}`
      if (this.shape !== undefined && this.shape !== shape) this.clear()
      this.shape = shape
    })
  }

  /**
   * Switches the task. Continue starts from the take that is shown, unless a video was opened: on entering it, not on
   * Generate, so that the same clip can be gone on from with another seed.
   */
  setTask(task: Task): void {
    const { task: before, clip } = this.store.getState()
    // The open tab says so too when it is pressed again.
    if (task === before) return
    this.store.setState({ task, error: undefined })
    if (task !== 'continue' || this.readings.has('continue')) return
    const { phase, shown } = this.take.getState()
    const isFollowing = !clip || (clip.request !== undefined && clip.request !== shown?.request)
    const canBegin = encoderProblem(this.model.getState().loaded?.manifest) === undefined
    if (shown && phase !== 'running' && isFollowing && canBegin) void this.useShownTake()
  }

  /** Takes an image file for the Image tab. Problems go to the store. */
  useImage(file: Blob, name: string): Promise<void> {
    return this.open('image', (frame) => this.media.openPicture(file, name, frame))
  }

  /** Takes a still of a camera. */
  useCamera(video: HTMLVideoElement): Promise<void> {
    return this.open('image', (frame) => this.media.takePicture(video, 'Camera picture', frame))
  }

  /** Takes a video file for the Continue tab, cut at its end. */
  useVideo(file: Blob, name: string): Promise<void> {
    const fps = this.model.getState().loaded?.manifest.video.fps ?? 1
    return this.open('continue', (frame, signal) => this.media.openClip(file, name, fps, frame, signal))
  }

  /** Whatever was dropped or pasted, by what it says it is; the open tab decides about the rest. */
  useFile(file: File): Promise<void> {
    const { task } = this.store.getState()
    const isClip = file.type.startsWith('video/') || (task === 'continue' && !file.type.startsWith('image/'))
    return isClip ? this.useVideo(file, file.name) : this.useImage(file, file.name)
  }

  /** Holds the frames of the shown take, which will be replaced by what is made from them. */
  useShownTake(): Promise<void> {
    const { shown } = this.take.getState()
    if (!shown) return Promise.resolve()
    return this.open('continue', async (_frame, signal) => {
      const frames: Rgba[] = []
      for (let i = 0; i < shown.frames; i++) {
        const { rgba } = await unlessAborted(this.generator.getFrame(i), signal)
        if (!this.isStillThere(shown)) {
          throw new MediaError('Another take took its place. Press "Use the shown take" when it is made.')
        }
        frames.push(rgba)
      }
      return heldClip(shown.request, frames)
    })
  }

  /** Frees the picture and the clip. */
  clear(): void {
    for (const { controller } of this.readings.values()) controller.abort()
    this.readings.clear()
    const { picture, clip } = this.store.getState()
    picture?.bitmap.close()
    clip?.close()
    this.store.setState({ picture: undefined, clip: undefined, busy: this.busy(), error: undefined })
  }

  /** How many frames a take of so many begins with, as things stand; 0 for none. */
  givenCount(frames: number): number {
    const { task, cut } = this.store.getState()
    if (task === 'text') return 0
    if (task === 'image') return 1
    return leadLength(this.model.getState().loaded?.lengths ?? [], frames, cut) ?? 0
  }

  /**
   * The frames that a take of so many begins with; `undefined` for text to video. Waits for a file that is being opened.
   * @throws RequestError when the task's image or clip is missing or cannot be read, or the model cannot begin with it.
   * @throws AbortedError
   */
  async given(frames: number, signal?: AbortSignal): Promise<readonly Rgba[] | undefined> {
    const { task } = this.store.getState()
    if (task === 'text') return undefined
    const cannot = encoderProblem(this.model.getState().loaded?.manifest)
    if (cannot !== undefined) throw new RequestError('no-source', cannot)
    await this.opened(task, signal)
    const { picture, position, clip, cut } = this.store.getState()
    if (task === 'image') {
      if (!picture) throw new RequestError('no-source', 'Choose an image first, or go to the Text tab.')
      return [this.media.cropPicture(picture, position)]
    }
    if (!clip) throw new RequestError('no-source', 'Choose a clip to go on from, or go to the Text tab.')
    const lengths = this.model.getState().loaded?.lengths ?? []
    const problem = leadProblem(lengths, frames, cut)
    if (problem !== undefined) throw new RequestError('no-source', problem)
    const count = leadLength(lengths, frames, cut) ?? 0
    return clip.read(cut - count, count, signal).catch((cause: unknown) => {
      if (cause instanceof MediaError) throw new RequestError('no-source', cause.message, { cause })
      throw cause
    })
  }

  /** Waits until nothing is being opened for a task. @throws RequestError when it cannot be read */
  private async opened(task: GivenTask, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const reading = this.readings.get(task)
      if (!reading) return
      const problem = await unlessAborted(reading.over, signal)
      if (problem !== undefined) throw new RequestError('no-source', problem)
    }
  }

  /** Opens something for a task, in the place of what is being opened. Problems go to the store. */
  private async open(
    task: GivenTask,
    read: (frame: Size, signal: AbortSignal) => Promise<Picture | Clip>,
  ): Promise<void> {
    this.readings.get(task)?.controller.abort()
    this.readings.delete(task)
    this.store.setState({ task, busy: this.busy(), error: undefined })
    const video = this.model.getState().loaded?.manifest.video
    if (!video) {
      this.store.setState({ error: 'The model is still loading. Try again when it is ready.' })
      return
    }
    const controller = new AbortController()
    const { signal } = controller
    const over = this.follow(task, read({ width: video.width, height: video.height }, signal), signal)
    this.readings.set(task, { controller, over })
    this.store.setState({ busy: this.busy() })
    await over
  }

  /** Puts what was opened in its place. @returns what went wrong */
  private async follow(
    task: GivenTask,
    work: Promise<Picture | Clip>,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    try {
      const opened = await unlessAborted(work, signal)
      if (signal.aborted) {
        discard(opened)
        return undefined
      }
      this.readings.delete(task)
      this.replace(opened)
      return undefined
    } catch (error) {
      if (signal.aborted) {
        // Its answer may be still to come.
        void work.then(discard, () => undefined)
        return undefined
      }
      this.readings.delete(task)
      const problem = error instanceof Error ? error.message : String(error)
      this.store.setState({ busy: this.busy(), error: problem })
      return problem
    }
  }

  private replace(opened: Picture | Clip): void {
    const { picture, clip } = this.store.getState()
    const busy = this.busy()
    if ('bitmap' in opened) {
      picture?.bitmap.close()
      this.store.setState({ picture: opened, position: 0.5, busy })
    } else {
      clip?.close()
      this.store.setState({ clip: opened, cut: opened.frames, busy })
    }
  }

  private busy(): Readonly<Record<GivenTask, boolean>> {
    return { image: this.readings.has('image'), continue: this.readings.has('continue') }
  }

  /** False once the stage may hold another take's frames than these. */
  private isStillThere({ request }: ShownTake): boolean {
    const { phase, shown, video } = this.take.getState()
    // A take that is only asked for, and waits for this clip, has no size yet.
    return shown?.request === request && (phase !== 'running' || video === undefined)
  }
}

function discard(opened: Picture | Clip): void {
  if ('bitmap' in opened) opened.bitmap.close()
  else opened.close()
}
