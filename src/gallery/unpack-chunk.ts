import { StorageError } from '../errors'
import { type Pixels, unpackFrames } from './frame-codec'
import type { ChunkRecord, TakeHead } from './records'

/** @throws StorageError `bad-file` when the frames are not what the record says */
export async function unpackChunk(
  { data, count }: Pick<ChunkRecord, 'data' | 'count'>,
  { width, height }: Pick<TakeHead, 'width' | 'height'>,
): Promise<Pixels[]> {
  try {
    return await unpackFrames(data, count, width, height)
  } catch (cause) {
    throw new StorageError('bad-file', 'The frames of this take are damaged. Delete it, and make it again.', {
      cause,
    })
  }
}
