import type { Rgba } from '../engine/types'
import { RequestError, throwIfAborted } from '../errors'
import { type Clip, heldClip, openClip } from '../media/clip'
import type { Size } from '../media/fit'
import { cropPicture, openPicture, type Picture, takePicture } from '../media/picture'
import { MediaError } from '../media/pixels'
import type { Generator } from '../worker/generator'
import type { ModelStore } from './model'
import { createSourceStore, leadLength, type SourceStore, type Task } from './source'
import type { TakeStore } from './take'

/** How files become pictures and clips; a test hands in its own. */
export interface MediaReader {
  openPicture(file: Blob, name: string, frame: Size): Promise<Picture>
  takePicture(video: HTMLVideoElement, name: string, frame: Size): Promise<Picture>
  cropPicture(picture: Picture, position: number): Rgba
  openClip(file: Blob, name: string, fps: number, frame: Size): Promise<Clip>
}

const browserMedia: MediaReader = { openPicture, takePicture, cropPicture, openClip }

/** What takes begin with, and where it comes from: files, the camera, the take that is shown. */
export class Sources {
  readonly store: SourceStore = createSourceStore()
  /** Counts what was opened; an answer to anything but the last is dropped. */
  private latest = 0
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

  /** Switches the task. Continuing starts from the take that is shown, unless a clip was chosen before. */
  setTask(task: Task): void {
    this.store.setState({ task, error: undefined })
    const { phase, shown } = this.take.getState()
    const isWhole = shown !== undefined && phase !== 'running'
    if (task === 'continue' && !this.store.getState().clip && isWhole) void this.useShownTake()
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
    return this.open('continue', (frame) => this.media.openClip(file, name, fps, frame))
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
    return this.open('continue', async () => {
      const frames: Rgba[] = []
      for (let i = 0; i < shown.frames; i++) frames.push((await this.generator.getFrame(i)).rgba)
      return heldClip('The shown take', frames)
    })
  }

  /** Frees the picture and the clip. */
  clear(): void {
    this.latest++
    const { picture, clip } = this.store.getState()
    picture?.bitmap.close()
    clip?.close()
    this.store.setState({ picture: undefined, clip: undefined, busy: false, error: undefined })
  }

  /** How many frames a take of so many begins with, as things stand; 0 for none. */
  givenCount(frames: number): number {
    const { task, cut } = this.store.getState()
    if (task === 'text') return 0
    if (task === 'image') return 1
    return leadLength(this.model.getState().loaded?.lengths ?? [], frames, cut) ?? 0
  }

  /**
   * The frames that a take of so many begins with; `undefined` for text to video.
   * @throws RequestError when the task's image or clip is missing or cannot be read, or the model cannot begin with it.
   */
  async given(frames: number, signal?: AbortSignal): Promise<readonly Rgba[] | undefined> {
    const { task, picture, position, clip, cut } = this.store.getState()
    if (task === 'text') return undefined
    const lengths = this.model.getState().loaded?.lengths ?? []
    if (task === 'image') {
      if (!picture) throw new RequestError('no-source', 'Choose an image first, or go to the Text tab.')
      return [this.media.cropPicture(picture, position)]
    }
    if (!clip) throw new RequestError('no-source', 'Choose a clip to go on from, or go to the Text tab.')
    const count = leadLength(lengths, frames, cut)
    if (count === undefined) {
      throw new RequestError(
        'no-source',
        `A clip of ${frames} frames has no room for given ones, or there are too few. Choose a longer clip or a later cut.`,
      )
    }
    const given = await clip.read(cut - count, count).catch((cause: unknown) => {
      if (cause instanceof MediaError) throw new RequestError('no-source', cause.message, { cause })
      throw cause
    })
    throwIfAborted(signal)
    return given
  }

  private async open(
    task: 'image' | 'continue',
    read: (frame: Size) => Promise<Picture | Clip>,
  ): Promise<void> {
    const video = this.model.getState().loaded?.manifest.video
    const id = ++this.latest
    this.store.setState({ task, busy: true, error: undefined })
    try {
      if (!video) throw new MediaError('The model is still loading. Try again when it is ready.')
      const opened = await read({ width: video.width, height: video.height })
      if (id !== this.latest) {
        discard(opened)
        return
      }
      const { picture, clip } = this.store.getState()
      if ('bitmap' in opened) {
        picture?.bitmap.close()
        this.store.setState({ picture: opened, position: 0.5, busy: false })
      } else {
        clip?.close()
        this.store.setState({ clip: opened, cut: opened.frames, busy: false })
      }
    } catch (error) {
      if (id !== this.latest) return
      this.store.setState({ busy: false, error: error instanceof Error ? error.message : String(error) })
    }
  }
}

function discard(opened: Picture | Clip): void {
  if ('bitmap' in opened) opened.bitmap.close()
  else opened.close()
}
