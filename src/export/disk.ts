import { ExportError } from './exporter'

/**
 * A file that grows on the disk while it is made, so that its size is not bound by memory. It grows beside the one that was
 * chosen: `createWritable` writes to a swap file, which takes the other's place when it is closed (File System Standard).
 */
export class DiskFile {
  private writing: Promise<void> = Promise.resolve()
  private failure: Error | undefined
  private end = 0

  private constructor(private readonly stream: FileSystemWritableFileStream) {}

  /** The chosen file stays as it is until {@link close}. */
  static async open(handle: FileSystemFileHandle): Promise<DiskFile> {
    return new DiskFile(await handle.createWritable())
  }

  /** Size so far, bytes. */
  get size(): number {
    return this.end
  }

  /** Writes when what came before is written. Parts may be written over. */
  write(data: Uint8Array<ArrayBuffer>, position: number): void {
    this.end = Math.max(this.end, position + data.length)
    // The caller may use its buffer again.
    const copy = data.slice()
    this.writing = this.writing.then(async () => {
      if (this.failure !== undefined) return
      await this.stream.write({ type: 'write', position, data: copy }).catch((error: unknown) => {
        this.failure = error instanceof Error ? error : new Error('the disk refused')
      })
    })
  }

  /** Waits until all is written. @throws ExportError when the disk refused */
  async settle(): Promise<void> {
    await this.writing
    if (this.failure === undefined) return
    throw new ExportError(
      `The file could not be written: ${this.failure.message}. Make room, or choose another place.`,
    )
  }

  /** Puts the file in its place. */
  async close(): Promise<void> {
    await this.settle()
    await this.stream.close()
  }

  /** Gives up what was written. The chosen file stays as it was opened: empty, where it comes from the picker (`save.ts`). */
  async abort(): Promise<void> {
    await this.writing
    await this.stream.abort().catch(() => undefined)
  }
}
