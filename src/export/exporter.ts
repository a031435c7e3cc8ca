import type { FramePixels } from '../worker/protocol'
import type { VideoSettings } from './settings'

export type ExportFormat = 'mp4' | 'gif' | 'png'

/** A finished or partial take, frame by frame. */
export interface FrameSource {
  readonly width: number
  readonly height: number
  /** Frames a second, an integer. */
  readonly fps: number
  /** Frames to write, at least 1. */
  readonly frames: number
  /** RGBA pixels of one frame. Called in order (a GIF looks at some frames first), the next one only when the last was taken in. */
  getFrame(index: number): Promise<FramePixels>
}

export interface ExportOptions {
  readonly format?: ExportFormat
  readonly settings?: VideoSettings
  /** Text that is kept inside an MP4 and that `readSettings` finds again. */
  readonly note?: string
  /** An MP4 is written there as it is made, and the result has no blob. Until it is whole, the file stays as it is. */
  readonly file?: FileSystemFileHandle
  /** Enlarge on the GPU where there is one. */
  readonly gpu?: boolean
  readonly signal?: AbortSignal
  /** Called with the share of frames encoded, 0..1. */
  readonly onProgress?: (fraction: number) => void
}

export interface ExportResult {
  /** Absent when the file went straight to disk. */
  readonly blob: Blob | undefined
  /** Size of the file. */
  readonly bytes: number
  readonly frames: number
  /** The codec for people, e.g. "H.264". */
  readonly codecName: string
  /** Where the frames were enlarged; undefined at their own size. */
  readonly enlargedOn?: 'GPU' | 'CPU' | undefined
}

/** Writes a take to a file. The libraries behind it can be replaced. */
export interface Exporter {
  /**
   * @throws ExportError when this browser cannot encode the size, or encoding fails
   * @throws DOMException `AbortError` when the signal fires; what was written is given up
   */
  export(source: FrameSource, options?: ExportOptions): Promise<ExportResult>
}

/** The export cannot be done; the message says what to do instead. */
export class ExportError extends Error {
  override readonly name = 'ExportError'
}

/**
 * A part of a source, several times over.
 * @param first and `last`: frames of the source, both included; `last` is clamped to what there is
 */
export function sliceSource(source: FrameSource, first: number, last: number, loops: number): FrameSource {
  const end = Math.min(last, source.frames - 1)
  const start = Math.min(first, end)
  const length = end - start + 1
  return {
    ...source,
    frames: length * loops,
    getFrame: (index) => source.getFrame(start + (index % length)),
  }
}
