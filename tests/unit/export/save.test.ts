import { describe, expect, it, vi } from 'vitest'

import { DiskFile } from '../../../src/export/disk'
import { discardDestination, saveBlob } from '../../../src/export/save'

/** A file of so many bytes, and the stream that writes to it. */
function file(size: number, write: () => Promise<void> = () => Promise.resolve()) {
  const stream = {
    write: vi.fn(write),
    close: vi.fn(() => Promise.resolve()),
    abort: vi.fn(() => Promise.resolve()),
  }
  const remove = vi.fn(() => Promise.resolve())
  const parts = {
    name: 'clip.mp4',
    getFile: () => Promise.resolve({ size }),
    createWritable: () => Promise.resolve(stream),
    remove,
  }
  const handle = parts as unknown as FileSystemFileHandle
  return { stream, remove, parts, handle, destination: { type: 'handle', handle } as const }
}

describe('a place that was chosen in vain', () => {
  it('is cleared of the empty file, and people are told what the browser did', async () => {
    const { destination, remove } = file(0)
    expect(await discardDestination(destination)).toMatch(
      /^The empty clip\.mp4 was removed\. .*the browser had emptied/,
    )
    expect(remove).toHaveBeenCalledOnce()
  })

  it('keeps a file that has something in it', async () => {
    const { destination, remove } = file(7)
    expect(await discardDestination(destination)).toBe('')
    expect(remove).not.toHaveBeenCalled()
  })

  it('says what to delete where the browser cannot remove it', async () => {
    const refused = file(0)
    refused.remove.mockRejectedValue(new Error('locked'))
    const unknown = file(0)
    Reflect.deleteProperty(unknown.parts, 'remove')
    for (const { destination } of [refused, unknown])
      expect(await discardDestination(destination)).toMatch(/^clip\.mp4 was left empty: delete it\./)
  })

  it('is none for a download, nor when the file is gone', async () => {
    expect(await discardDestination({ type: 'download', fileName: 'clip.mp4' })).toBe('')
    const { parts, destination, remove } = file(0)
    parts.getFile = () => Promise.reject(new Error('gone'))
    expect(await discardDestination(destination)).toBe('')
    expect(remove).not.toHaveBeenCalled()
  })
})

describe('writing', () => {
  it('to a full disk is given up, in words', async () => {
    const { destination, stream } = file(0, () => Promise.reject(new Error('Quota exceeded')))
    await expect(saveBlob(new Blob(['x']), destination)).rejects.toThrow(/Quota exceeded. Make room/)
    expect(stream.abort).toHaveBeenCalledOnce()
    expect(stream.close).not.toHaveBeenCalled()
  })

  it('as the file grows puts nothing in its place when it is given up', async () => {
    const { handle, stream } = file(7)
    const disk = await DiskFile.open(handle)
    disk.write(Uint8Array.of(1, 2, 3), 0)
    await disk.abort()
    expect(stream.write).toHaveBeenCalledOnce()
    expect(stream.abort).toHaveBeenCalledOnce()
    expect(stream.close).not.toHaveBeenCalled()
  })
})
