import { type Exporter, type ExportFormat, type FrameSource, sliceSource } from '../export/exporter'
import { type Destination, saveBlob } from '../export/save'
import { type ExportSettings, parseSettings } from '../export/settings'
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
  readonly generator: Pick<Generator, 'getFrame'>
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
    // A range belongs to the take it was chosen for.
    take.subscribe(({ shown }, before) => {
      if (shown?.request !== before.shown?.request && this.store.getState().range)
        this.store.setState({ range: undefined })
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

  /** Writes the chosen part of what is decoded; a PNG is the frame on the preview. Failures go to the store. */
  async export(format: ExportFormat): Promise<void> {
    const { shown, preview } = this.take.getState()
    if (!shown || this.store.getState().phase === 'running') return
    const { settings } = this.store.getState()
    const frame = Math.min(Math.max(preview.frame, 0), shown.frames - 1)
    const controller = new AbortController()
    this.running = controller
    try {
      const destination = await this.host.chooseDestination(fileName(shown, format, frame))
      if (!destination) return
      this.store.setState({ phase: 'running', fraction: 0, message: undefined })
      const toDisk = format === 'mp4' && destination.type === 'handle'
      const result = await this.host.exporter.export(this.part(shown, format, frame), {
        format,
        settings,
        gpu: this.onGpu(),
        note: writeNote(shown.request, this.madeBy()),
        ...(toDisk ? { file: destination.handle } : {}),
        signal: controller.signal,
        onProgress: (fraction) => this.store.setState({ fraction }),
      })
      if (result.blob) await saveBlob(result.blob, destination)
      const what = format === 'png' ? `frame ${frame}` : `${result.frames} frames`
      const where = result.enlargedOn ? `, enlarged on the ${result.enlargedOn}` : ''
      this.succeed(`Exported ${what} as ${result.codecName}, ${formatBytes(result.bytes)}${where}.`)
    } catch (error) {
      if (controller.signal.aborted) this.store.setState({ phase: 'idle', message: 'Export cancelled.' })
      else {
        const detail = error instanceof Error ? error.message : String(error)
        this.store.setState({ phase: 'error', message: `The export failed: ${detail}` })
      }
    }
  }

  cancel(): void {
    this.running?.abort()
  }

  private part(shown: ShownTake, format: ExportFormat, frame: number): FrameSource {
    const { settings, range } = this.store.getState()
    const source: FrameSource = {
      width: shown.width,
      height: shown.height,
      fps: shown.fps,
      frames: shown.frames,
      getFrame: (index) => this.host.generator.getFrame(index),
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
