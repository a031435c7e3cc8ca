import type { BackendChoice } from '../engine/types'
import { saveBlob, type Destination } from '../export/save'
import type { Exporter } from '../export/exporter'
import type { GalleryStorage } from '../gallery/client'
import type { FileCache } from '../models/cache'
import type { Generator } from '../worker/generator'
import { CatalogError, fetchIndex, isPackagePath, packageUrl } from './catalog'
import type { ExportStore } from './export'
import { ExportRunner } from './export-runner'
import { Gallery } from './gallery'
import { createModelStore, type ModelStore } from './model'
import { ModelLibrary } from './model-library'
import { Playback } from './playback'
import { createRequestStore, nearestLength, type RequestStore } from './request'
import { openTake, recordedModel } from './kept-take'
import { SpeedLog } from './model-speed'
import { TakeRecorder } from './recorder'
import { Compare } from './compare'
import { Sources } from './sources'
import { createSpeedStore, learnSpeed, SpeedMemory, type SpeedStore } from './speed'
import { Sweep } from './sweep'
import { createTakeStore, type TakeStore } from './take'
import { TakeRunner } from './take-runner'
import { formatLink, parseLink } from './url'

/** What the studio needs from the page; a test hands in its own. */
export interface StudioHost {
  readonly generator: Generator
  readonly exporter: Exporter
  readonly gallery: GalleryStorage
  /** Where the app is served from, with a trailing slash. */
  readonly base: string
  /** The page's address. */
  href(): string
  /** Replaces the page's address without a reload. */
  replaceUrl(url: string): void
  /** Survives a reload of this tab, and only this tab. */
  readonly session: Pick<Storage, 'getItem' | 'setItem'>
  /** Survives everything; choices are remembered there. */
  readonly local: Pick<Storage, 'getItem' | 'setItem'>
  /** The model files kept in this browser. */
  openCache(): Promise<FileCache>
  /** Asks where to save, or settles on a plain download. */
  chooseDestination(fileName: string): Promise<Destination | undefined>
}

/** Key under which a tab remembers that the seed in its address was not locked. */
const UNLOCKED = 'anyflow.seed-unlocked'

/** The whole application without its looks: the stores and what can be done to them. */
export class Studio {
  readonly request: RequestStore
  readonly model: ModelStore = createModelStore()
  readonly take: TakeStore = createTakeStore()
  readonly speed: SpeedStore = createSpeedStore()
  private readonly speeds: SpeedMemory
  readonly sources: Sources
  readonly runner: TakeRunner
  readonly sweep: Sweep
  readonly compare: Compare
  readonly gallery: Gallery
  readonly exporting: ExportRunner
  readonly library: ModelLibrary
  readonly playback: Playback

  private loading: AbortController | undefined
  /** The model loaded last: what is shown was made by it, or marked as made by another. */
  private shownModelId: string | undefined
  private urlTimer: ReturnType<typeof setTimeout> | undefined
  private readonly unsubscribe: (() => void)[] = []

  constructor(private readonly host: StudioHost) {
    this.speeds = new SpeedMemory(host.local)
    const link = parseLink(new URL(host.href()).search)
    this.request = createRequestStore(link.request, link.problems, host.session.getItem(UNLOCKED) !== '1')
    this.gallery = new Gallery(
      host.gallery,
      (record, read, isWanted) => openTake(this, record, read, isWanted),
      (blob, fileName) => saveBlob(blob, { type: 'download', fileName }),
    )
    this.sources = new Sources(host.generator, this.model, this.take)
    const recorder = new TakeRecorder(host.generator, this.gallery, () => recordedModel(this))
    this.runner = new TakeRunner(recorder, this.request, this.model, this.take, (frames, signal) =>
      this.sources.given(frames, signal),
    )
    this.runner.onMeasured = (request, timings) => {
      const { loaded } = this.model.getState()
      if (!loaded) return
      const { manifest, backend } = loaded
      this.speed.setState((speed) => learnSpeed(speed, timings, request, manifest), true)
      this.speeds.remember(manifest.id, backend.label, this.speed.getState())
    }
    this.sweep = new Sweep(host.generator, this.runner, this.request, this.take, ({ shown, timings }) =>
      recorder.keepShown(shown, timings, this.model.getState().loaded?.backend.label ?? ''),
    )
    this.compare = new Compare(host.generator, this.runner, this.request, this.take)
    this.playback = new Playback(host.generator, this.take, host.local)
    const speeds = new SpeedLog(host.local)
    this.library = new ModelLibrary(host, this.model, speeds)
    this.exporting = new ExportRunner(
      host,
      this.take,
      () => this.gallery.shown?.model ?? recordedModel(this),
      () => this.model.getState().loaded?.backend.backend === 'webgpu',
    )
    this.unsubscribe.push(
      speeds.follow(this.take, () => {
        const { loaded } = this.model.getState()
        return loaded && { modelId: loaded.manifest.id, backend: loaded.backend.label }
      }),
      this.take.subscribe(({ shown, redoing }, before) => {
        if (shown?.request === before.shown?.request) return
        if (redoing && shown && before.shown) this.gallery.renamed(before.shown.request, shown.request)
        this.gallery.follow(shown?.request)
      }),
      host.generator.onPreview((preview) => this.take.setState({ preview })),
      this.request.subscribe(() => this.scheduleUrl()),
      this.request.subscribe((now, before) => {
        this.runner.requestChanged(now, before)
        // A re-make would take the place of the takes that are to be chosen from.
        if (this.sweep.store.getState().takes) this.runner.forgetRemake()
      }),
      this.sources.store.subscribe(() => this.runner.sourceChanged()),
      this.library.store.subscribe(({ entries }, before) => {
        // A model came or went.
        if (entries !== before.entries) void this.gallery.roomChanged()
      }),
    )
  }

  get exports(): ExportStore {
    return this.exporting.store
  }

  get generator(): Generator {
    return this.host.generator
  }

  /** Loads the model that the request names. A load in flight is given up first. */
  async loadModel(): Promise<void> {
    this.loading?.abort()
    const controller = new AbortController()
    this.loading = controller
    await this.runner.stop()
    // Another model or backend has its own speed.
    this.speed.setState({}, true)
    this.model.setState({ phase: 'loading', progress: undefined, loaded: undefined, error: undefined })
    try {
      const { model, backend } = this.request.getState()
      const url = await this.resolveModel(model, controller.signal)
      const loaded = await this.host.generator.load(url, {
        backend,
        signal: controller.signal,
        onProgress: (progress) => {
          if (this.loading === controller) this.model.setState({ progress })
        },
      })
      if (this.loading !== controller) return
      this.speed.setState(this.speeds.of(loaded.manifest.id, loaded.backend.label), true)
      this.leaveOtherModel(loaded.manifest.id)
      this.model.setState({ phase: 'ready', loaded, progress: undefined })
      this.fitLength()
    } catch (error) {
      if (this.loading !== controller) return
      this.model.setState({ phase: 'error', error: error instanceof Error ? error.message : String(error) })
    }
  }

  /** The take that is shown was made by another model than the one just loaded: it plays, but is not made again. */
  private leaveOtherModel(modelId: string): void {
    const before = this.shownModelId
    this.shownModelId = modelId
    if (before === undefined || before === modelId) return
    void this.sweep.close()
    void this.compare.close()
    this.take.setState(({ shown }) => ({
      request: undefined,
      ...(shown ? { shown: { ...shown, playOnly: true } } : {}),
    }))
  }

  /** Switches to another model or backend, and loads. */
  async choose(change: { model?: string; backend?: BackendChoice }): Promise<void> {
    this.request.setState(change)
    await this.loadModel()
  }

  /** Makes a take of the request as it stands; loads the model first when the last attempt failed. */
  async generate(): Promise<void> {
    if (this.model.getState().phase === 'error') await this.loadModel()
    if (this.model.getState().phase === 'ready') await this.runner.generate()
  }

  /** True for a package that this browser has, by what `?model=` says. */
  isInstalled(path: string): Promise<boolean> {
    return this.library.has(path)
  }

  /** Makes the edited request at 1, 2, 4, 8, 16 and 32 steps to compare. */
  async startSweep(): Promise<void> {
    if (this.model.getState().phase === 'ready') await this.sweep.start()
  }

  stop(): void {
    void this.runner.stop()
  }

  /** Plays or pauses the preview. */
  togglePlayback(): Promise<void> {
    return this.playback.toggle()
  }

  seek(frame: number): Promise<void> {
    return this.playback.seek(frame)
  }

  /** Writes the frames decoded so far to an MP4 file with the present settings, whole take or not. */
  exportTake(): Promise<void> {
    return this.exporting.export('mp4')
  }

  cancelExport(): void {
    this.exporting.cancel()
  }

  dismissNotices(): void {
    this.request.setState({ notices: [] })
  }

  async dispose(): Promise<void> {
    for (const stop of this.unsubscribe) stop()
    clearTimeout(this.urlTimer)
    this.loading?.abort()
    this.exporting.cancel()
    await this.runner.stop()
    await this.host.generator.dispose()
  }

  private async resolveModel(model: string | undefined, signal: AbortSignal): Promise<string> {
    const page = this.host.href()
    if (model !== undefined && isPackagePath(model)) {
      // On another site: a person may have added it here, a link alone could not.
      return (await this.library.has(model))
        ? new URL(model, page).href
        : packageUrl(model, this.host.base, page)
    }
    const index = this.model.getState().index ?? (await fetchIndex(this.host.base, signal))
    this.model.setState({ index })
    const id = model ?? index.default
    if (!index.models.includes(id)) {
      throw new CatalogError(
        `There is no model "${id}" here. Choose one of: ${index.models.join(', ')}; or remove "model" from the link.`,
      )
    }
    return packageUrl(id, this.host.base, page)
  }

  /** Brings the length to one that the loaded model can make, and says so when a link asked for another. */
  private fitLength(): void {
    const { loaded } = this.model.getState()
    if (!loaded) return
    const { length, notices } = this.request.getState()
    const { lengths, manifest } = loaded
    const usual = nearestLength(lengths, manifest.video.defaultFrames)
    if (length === undefined) this.request.setState({ length: usual })
    else if (!lengths.includes(length)) {
      const problem = `This model cannot make ${length} frames; it makes ${lengths.join(', ')}. ${usual ?? 0} is used.`
      this.request.setState({ length: usual, notices: [...notices, problem] })
    }
  }

  /** Keeps the address up to date. Browsers limit how often it may change, so a drag is written once. */
  private scheduleUrl(): void {
    clearTimeout(this.urlTimer)
    this.urlTimer = setTimeout(() => this.writeUrl(), 200)
  }

  private writeUrl(): void {
    const { prompt, seedText, seedLocked, chunkSeeds, steps, laterSteps, length, model, backend } =
      this.request.getState()
    const url = new URL(this.host.href())
    const seed = /^\d+$/.test(seedText) ? Number(seedText) : undefined
    url.search = formatLink(url.search, {
      prompt,
      ...(seed === undefined ? {} : { seed }),
      ...(chunkSeeds === undefined ? {} : { chunkSeeds }),
      steps,
      ...(laterSteps === undefined ? {} : { laterSteps }),
      ...(length === undefined ? {} : { length }),
      ...(model === undefined ? {} : { model }),
      backend,
    })
    this.host.session.setItem(UNLOCKED, seedLocked ? '' : '1')
    this.host.replaceUrl(url.href)
  }
}
