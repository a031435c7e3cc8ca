import {
  ExportError,
  type ExportFormat,
  type Exporter,
  type ExportOptions,
  type ExportResult,
  type FrameSource,
} from './exporter'
import type { FromExportWorker, ToExportWorker } from './protocol'
import { DEFAULT_SETTINGS } from './settings'

const mimeTypes: Record<ExportFormat, string> = { mp4: 'video/mp4', gif: 'image/gif', png: 'image/png' }

/** How long a cancelled worker may take to clear up on disk, ms. */
const CLEAR_UP_TIME = 3000

/** Files made in a worker of its own. The worker pulls frames, so only a few are ever in flight. */
export class WorkerExporter implements Exporter {
  async export(source: FrameSource, options: ExportOptions = {}): Promise<ExportResult> {
    const {
      signal,
      onProgress,
      format = 'mp4',
      settings = DEFAULT_SETTINGS,
      note,
      file,
      gpu = false,
    } = options
    if (signal?.aborted) throw aborted()
    if (source.frames < 1) throw new ExportError('There is nothing to export yet. Generate a take first.')
    const worker = new Worker(new URL('./export.worker.ts', import.meta.url), {
      type: 'module',
      name: 'export',
    })
    const send = (message: ToExportWorker, transfer: Transferable[] = []): void =>
      worker.postMessage(message, transfer)

    const result = new Promise<ExportResult>((resolve, reject) => {
      signal?.addEventListener(
        'abort',
        () => {
          // In memory there is nothing to clear up. A file on disk is given up by the worker that writes it.
          if (!file) reject(aborted())
          else {
            send({ type: 'abort' })
            setTimeout(() => reject(aborted()), CLEAR_UP_TIME)
          }
        },
        { once: true },
      )
      worker.onerror = (event) => {
        reject(
          new ExportError(
            `The export worker could not run: ${event.message || 'it failed to start'}. Reload the page.`,
          ),
        )
      }
      worker.onmessage = (event: MessageEvent<FromExportWorker>) => {
        const message = event.data
        if (message.type === 'error') reject(signal?.aborted ? aborted() : new ExportError(message.message))
        else if (message.type === 'done') {
          onProgress?.(1)
          const { data, bytes, codecName, enlargedOn } = message
          const blob = data && new Blob([data], { type: mimeTypes[format] })
          resolve({ blob, bytes, frames: source.frames, codecName, enlargedOn })
        } else {
          onProgress?.(message.fraction)
          source.getFrame(message.index).then(
            ({ rgba }) => send({ type: 'frame', rgba }, [rgba.buffer]),
            (error: unknown) => reject(error instanceof Error ? error : new ExportError(String(error))),
          )
        }
      }
      const { width, height, fps, frames } = source
      send({ type: 'start', job: { format, width, height, fps, frames, settings, note, file, gpu } })
    })
    return result.finally(() => worker.terminate())
  }
}

function aborted(): DOMException {
  return new DOMException('The export was cancelled.', 'AbortError')
}
