import type { ExportFormat } from './exporter'
import type { VideoSettings } from './settings'

/** What is to be written. */
export interface ExportJob {
  readonly format: ExportFormat
  /** Size of the frames that will come; the file is `settings.scale` times as large. */
  readonly width: number
  readonly height: number
  readonly fps: number
  readonly frames: number
  readonly settings: VideoSettings
  /** Text for the MP4's settings box. */
  readonly note: string | undefined
  /** Where an MP4 is to grow on disk; in memory without. */
  readonly file: FileSystemFileHandle | undefined
  /** Enlarge on the GPU where there is one. */
  readonly gpu: boolean
}

/** Page to the export worker. After `start` the page sends a `frame` for each `ready`. */
export type ToExportWorker =
  | { readonly type: 'start'; readonly job: ExportJob }
  | { readonly type: 'frame'; readonly rgba: Uint8ClampedArray<ArrayBuffer> }
  /** Give up what was written; answered by `error`. */
  | { readonly type: 'abort' }

/** The export worker to the page. */
export type FromExportWorker =
  /** Wants frame `index`; `fraction` of the work is done. */
  | { readonly type: 'ready'; readonly index: number; readonly fraction: number }
  | {
      readonly type: 'done'
      readonly data: ArrayBuffer | undefined
      readonly bytes: number
      readonly codecName: string
      readonly enlargedOn: 'GPU' | 'CPU' | undefined
    }
  | { readonly type: 'error'; readonly message: string }
