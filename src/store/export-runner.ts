import {
  ExportError,
  type Exporter,
  type ExportFormat,
  type FrameSource,
  sliceSource,
} from '../export/exporter'
import { type Destination, discardDestination, saveBlob } from '../export/save'
import { type ExportSettings, parseSettings } from '../export/settings'
import { StudioError } from '../errors'
import type { TakeHead } from '../gallery/records'
import type { Generator } from '../worker/generator'
import { createExportStore, type ExportStore } from './export'
import { writeNote } from './file-note'
import { formatBytes, takeFileName } from './format'
import type { ShownTake, TakeStore } from './take'

/** How long the result of an export stays on the page, ms. */
const MESSAGE_TIME = 6000

/** Key under which the settings are remembered. */
const KEY = 'anyflow.export'

export interface ExportHost {
  readonly exporter: Exporter
  readonly generator: Pick<Generator, 'keep' | 'getFrame' | 'dropKept'>
  readonly local: Pick<Storage, 'getItem' | 'setItem'>
  /** Asks where to save, or settles on a plain download. */
  chooseDestination(fileName: string): Promise<Destination | undefined>
}

/** Writes the take on the preview to files, one at a time, and keeps the export store in step. */
export class ExportRunner {
  readonly store: ExportStore
  private running: AbortController | undefined

  constructor(
    private readonly host: ExportHost,
    private readonly take: TakeStore,
    /** The model that made what is on the preview. */
    private readonly madeBy: () => TakeHead['model'],
    /** True where takes are made on the GPU: they are enlarged there too. */
    private readonly onGpu: () => boolean = () => false,
  ) {
    this.store = createExportStore(remembered(host.local))
    take.subscribe(({ shown }, before) => {
      const { range } = this.store.getState()
      if (!range || shown === before.shown) return
      // A range belongs to the take it was chosen for; of one without an end it moves with the frames.
      const isSame = shown?.request === before.shown?.request
      const gone = (shown?.dropped ?? 0) - (before.shown?.dropped ?? 0)
      if (isSame && gone === 0) return
      const last = range.last - gone
      const moved = isSame && last >= 0
      this.store.setState({ range: moved ? { first: Math.max(0, range.first - gone), last } : undefined })
    })
  }

  /** Changes settings and remembers them. */
  change(change: Partial<ExportSettings>): void {
    const settings = { ...this.store.getState().settings, ...change }
    this.store.setState({ settings })
    this.host.local.setItem(KEY, JSON.stringify(settings))
  }

  /** Chooses a part of the take: frames from 0, both included. */
  chooseRange(first: number, last: number): void {
    const frames = this.take.getState().shown?.frames ?? 0
    const whole = first <= 0 && last >= frames - 1
    this.store.setState({ range: whole ? undefined : { first, last } })
  }

  /**
   * Writes the chosen part of what is decoded; a PNG is the frame on the preview. The frames are held until the file is
   * done, so that another take may be made meanwhile. Failures go to the store.
   */
  async export(format: ExportFormat): Promise<void> {
    const { shown, preview } = this.take.getState()
    if (!shown || this.running) return
    const { generator, exporter } = this.host
    const controller = new AbortController()
    const { signal } = controller
    this.running = controller
    // All of it before anything is waited for: the picker may stay open for long, and the take change.
    const held = this.hold(shown)
    // It is waited for after the picker; until then nobody would catch its failure.
    held.catch(() => undefined)
    const frame = Math.min(Math.max(preview.frame, 0), shown.frames - 1)
    const part = this.part(shown, format, frame, held)
    const { settings } = this.store.getState()
    const note = writeNote({ ...shown.request, prompts: shown.prompts }, this.madeBy())
    const gpu = this.onGpu()
    let destination: Destination | undefined
    try {
      // Without waiting for the frames: the picker must be opened straight from the click.
      destination = await this.host.chooseDestination(fileName(shown, format, frame))
      if (!destination) return
      this.store.setState({ phase: 'running', fraction: 0, message: undefined })
      await held
      const result = await exporter.export(part, {
        ...{ format, settings, gpu, note, signal },
        ...(format === 'mp4' && destination.type === 'handle' ? { file: destination.handle } : {}),
        onProgress: (fraction) => this.store.setState({ fraction }),
      })
      if (result.blob) {
        signal.throwIfAborted()
        await saveBlob(result.blob, destination)
      }
      const what = format === 'png' ? `frame ${frame}` : `${result.frames} frames`
      const where = result.enlargedOn ? `, enlarged on the ${result.enlargedOn}` : ''
      this.succeed(`Exported ${what} as ${result.codecName}, ${formatBytes(result.bytes)}${where}.`)
    } catch (error) {
      const left = destination ? await discardDestination(destination) : ''
      const detail = (error instanceof Error ? error.message : String(error)).replace(/\.?$/, '.')
      const what = signal.aborted ? 'Export cancelled.' : `The export failed: ${detail}`
      this.store.setState({ phase: signal.aborted ? 'idle' : 'error', message: `${what} ${left}`.trim() })
    } finally {
      this.running = undefined
      // Nothing waits for it, and where holding failed there is nothing to drop.
      held.then((kept) => generator.dropKept([kept])).catch(() => undefined)
    }
  }

  cancel(): void {
    this.running?.abort()
  }

  /**
   * Holds the frames of what is shown. A take that comes at this moment is on the stage before the page is told of it: its
   * frames must not go out under the other's name.
   * @throws ExportError when they are another take's
   */
  private async hold({ request }: ShownTake): Promise<number> {
    const { generator } = this.host
    const replaced = new ExportError('Another take took its place at that moment. Export again.')
    const kept = await generator.keep().catch((error: unknown) => {
      throw error instanceof StudioError && error.code === 'no-frames' ? replaced : error
    })
    if (this.take.getState().shown?.request === request) return kept
    await generator.dropKept([kept])
    throw replaced
  }

  private part(shown: ShownTake, format: ExportFormat, frame: number, held: Promise<number>): FrameSource {
    const { settings, range } = this.store.getState()
    const source: FrameSource = {
      width: shown.width,
      height: shown.height,
      fps: shown.fps,
      frames: shown.frames,
      getFrame: async (index) => this.host.generator.getFrame(index, await held),
    }
    if (format === 'png') return sliceSource(source, frame, frame, 1)
    // A GIF repeats by itself.
    return sliceSource(
      source,
      range?.first ?? 0,
      range?.last ?? shown.frames - 1,
      format === 'gif' ? 1 : settings.loops,
    )
  }

  private succeed(message: string): void {
    this.store.setState({ phase: 'done', message })
    // Good news may go by itself; a failure stays until the next export.
    setTimeout(() => {
      if (this.store.getState().message === message)
        this.store.setState({ phase: 'idle', message: undefined })
    }, MESSAGE_TIME)
  }
}

function fileName({ request }: ShownTake, format: ExportFormat, frame: number): string {
  const name = takeFileName(request, format)
  return format === 'png' ? name.replace(/\.png$/, `-frame${frame}.png`) : name
}

function remembered(local: ExportHost['local']): ExportSettings {
  try {
    return parseSettings(JSON.parse(local.getItem(KEY) ?? 'null'))
  } catch {
    return parseSettings(undefined)
  }
}
