/** What the gallery keeps. */

import type { ChunkPrompt, GenerationRequest, Timings } from '../engine/types'

/** The part of a request that makes a take again: written into files, so plain values only. */
export interface TakeSettings extends Pick<
  GenerationRequest,
  'prompt' | 'steps' | 'laterSteps' | 'seed' | 'chunkSeeds' | 'frames' | 'endless'
> {
  /** Prompts that took the first one's place while a take without an end was made. */
  readonly prompts?: readonly ChunkPrompt[] | undefined
  /** How many of the frames were given (an image, the end of a clip). They are not kept as they were given. */
  readonly givenFrames?: number | undefined
}

/** What is known about a take before its first frame. */
export interface TakeHead {
  /** Unique among all takes on all machines. */
  readonly id: string
  /** When it was asked for, ms since 1970. */
  readonly made: number
  readonly request: TakeSettings
  /** `path` is what `?model=` says; absent for the site's default. */
  readonly model: { readonly id: string; readonly name: string; readonly path?: string | undefined }
  /** Label of the backend it ran on, e.g. "WASM, 2 threads". */
  readonly backend: string
  readonly width: number
  readonly height: number
  /** Frames a second, an integer. */
  readonly fps: number
}

/** A kept take, without its frames. */
export interface TakeRecord extends TakeHead {
  /** Frames kept so far. */
  readonly frames: number
  /** The first of them; of a take without an end the newest are kept. Absent for 0. */
  readonly first?: number | undefined
  /** Packed size of these frames, bytes. */
  readonly bytes: number
  /** `making` in a record that nobody writes any more: the tab was closed in the middle of the take. */
  readonly state: 'making' | 'done' | 'stopped'
  readonly timings?: Timings | undefined
  /** A small picture of the take. */
  readonly poster?: Blob | undefined
  /** Deleted, but may still be brought back; left out of lists. */
  readonly hidden?: boolean | undefined
  /** When it was deleted, ms since 1970. Absent in records of earlier versions. */
  readonly hiddenAt?: number | undefined
}

/** Frames `first .. first + count - 1` of a take, packed by frame-codec.ts. */
export interface ChunkRecord {
  readonly take: string
  readonly first: number
  readonly count: number
  readonly data: Uint8Array<ArrayBuffer>
}

/** A take with its frames in memory. */
export interface Clip {
  readonly width: number
  readonly height: number
  readonly fps: number
  readonly frames: readonly Uint8ClampedArray<ArrayBuffer>[]
}

/** Takes that the disk had no room for. */
export interface WaitingTakes {
  /** How many wait in memory, wholly or in part. */
  readonly count: number
  /** Prompts of those that were given up since, because too much waited. */
  readonly dropped: readonly string[]
}

/** Room in this browser's storage, bytes; it counts models and takes together. */
export interface StorageRoom {
  readonly used: number
  readonly quota: number
}
