/** Where a worker's frames go: one implementation a file format. */

/** What the user is told about the file, and the file itself unless it went to disk already. */
export interface SinkResult {
  readonly data: ArrayBuffer | undefined
  /** Size of the file. */
  readonly bytes: number
  /** For people, e.g. "H.264". */
  readonly codecName: string
}

/** Takes frames in order. Whatever fails throws an ExportError. */
export interface FrameSink {
  /** Frames to be looked at before the first one is written, for formats that need to know all colours. */
  readonly samples: readonly number[]
  /** @param rgba a frame of {@link samples}, at the file's size */
  look(rgba: Uint8ClampedArray<ArrayBuffer>): void
  /** Resolves when the next frame may come. */
  add(index: number, rgba: Uint8ClampedArray<ArrayBuffer>): Promise<void>
  finish(): Promise<SinkResult>
  /** Gives up what was written. */
  abort(): Promise<void>
}
