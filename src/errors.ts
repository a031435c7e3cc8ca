/**
 * Errors that a person may read. Every one has a stable `code` for programs and a `message` that says what
 * happened and what to do. They cross the worker boundary as plain `{ name, code, message }` objects.
 */

/** Every code that a {@link StudioError} can carry. */
export type ErrorCode =
  | 'bad-request'
  | 'empty-prompt'
  | 'prompt-too-long'
  | 'no-source'
  | 'model-not-loaded'
  | 'missing-file'
  | 'network'
  | 'wrong-hash'
  | 'wrong-size'
  | 'bad-manifest'
  | 'wrong-format'
  | 'no-webgpu'
  | 'no-backend'
  | 'device-lost'
  | 'out-of-memory'
  | 'session-failed'
  | 'no-frames'
  | 'storage-full'
  | 'storage-failed'
  | 'bad-file'
  | 'aborted'
  | 'disposed'
  | 'internal'

/** An error as it crosses a worker boundary. */
export interface SerialisedError {
  readonly name: string
  readonly code: ErrorCode
  readonly message: string
}

/** Base of every error this project throws on purpose. */
export class StudioError extends Error {
  override readonly name: string = 'StudioError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The request itself cannot be carried out: empty prompt, prompt too long, number out of range. */
export class RequestError extends StudioError {
  override readonly name = 'RequestError'
}

/** A model package is missing, damaged or of another format. */
export class ModelError extends StudioError {
  override readonly name = 'ModelError'
}

/** The inference backend cannot start or has failed. */
export class BackendError extends StudioError {
  override readonly name = 'BackendError'
}

/** Something could not be kept in, or read from, this browser's storage, or a file is not what it should be. */
export class StorageError extends StudioError {
  override readonly name = 'StorageError'
}

/** The work was cancelled by its caller; not a failure. */
export class AbortedError extends StudioError {
  override readonly name = 'AbortedError'

  constructor(message = 'Stopped.') {
    super('aborted', message)
  }
}

/** Turns anything thrown into a plain object that structured clone can carry. */
export function serialiseError(error: unknown): SerialisedError {
  if (error instanceof StudioError) {
    return { name: error.name, code: error.code, message: error.message }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { name: 'StudioError', code: 'internal', message }
}

/** Rebuilds the error class on the other side of the boundary. */
export function deserialiseError(error: SerialisedError): StudioError {
  switch (error.name) {
    case 'RequestError':
      return new RequestError(error.code, error.message)
    case 'ModelError':
      return new ModelError(error.code, error.message)
    case 'BackendError':
      return new BackendError(error.code, error.message)
    case 'StorageError':
      return new StorageError(error.code, error.message)
    case 'AbortedError':
      return new AbortedError(error.message)
    default:
      return new StudioError(error.code, error.message)
  }
}

/** Throws {@link AbortedError} when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError()
}
