/** Model files in the origin private file system: written without a copy in memory, and gone as soon as they are deleted. */

const FOLDER = 'models'

/** The part of `FileCache` that holds the files themselves. Best effort, as that. */
export class OpfsFiles {
  private constructor(private readonly folder: FileSystemDirectoryHandle) {}

  /** @throws where the browser has none, or keeps nothing (some private windows) */
  static async open(): Promise<OpfsFiles> {
    const root = await navigator.storage.getDirectory()
    return new OpfsFiles(await root.getDirectoryHandle(FOLDER, { create: true }))
  }

  async get(hash: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const file = await this.find(hash)
    return file && new Uint8Array(await file.arrayBuffer())
  }

  async has(hash: string): Promise<boolean> {
    return (await this.find(hash)) !== undefined
  }

  async hashes(): Promise<string[]> {
    const names: string[] = []
    // Browsers may list files of their own beside them.
    for await (const name of this.folder.keys()) if (/^[0-9a-f]{64}$/.test(name)) names.push(name)
    return names
  }

  async put(hash: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    let writing: FileSystemWritableFileStream | undefined
    try {
      const handle = await this.folder.getFileHandle(hash, { create: true })
      writing = await handle.createWritable()
      await writing.write(bytes)
      await writing.close()
    } catch {
      // Quota exceeded: the model still runs, the next visit downloads it again. Its empty file must not stay.
      await writing?.abort().catch(() => undefined)
      await this.delete(hash)
    }
  }

  async delete(hash: string): Promise<void> {
    await this.folder.removeEntry(hash).catch(() => undefined)
  }

  /** A file that is being written, or never was whole, is still empty. */
  private async find(hash: string): Promise<File | undefined> {
    try {
      const file = await (await this.folder.getFileHandle(hash)).getFile()
      return file.size > 0 ? file : undefined
    } catch {
      return undefined
    }
  }
}
