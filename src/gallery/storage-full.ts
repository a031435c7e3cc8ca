import { StudioError } from '../errors'

/** True for the one failure that passes once something is deleted. */
export function isStorageFull(error: unknown): boolean {
  return error instanceof StudioError && error.code === 'storage-full'
}
