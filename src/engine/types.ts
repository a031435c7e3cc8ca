/** The vocabulary of a generation: what is asked for, what is reported while it is made. */

import type { ChunkSeed } from '../flowmap/seeds'
import type { Manifest } from '../models/manifest'
import type { BackendChoice, BackendReport } from '../runtime/report'

export type { BackendChoice, BackendName, BackendReport } from '../runtime/report'

/** Bytes of a model package fetched so far; `cached` counts those that came from the local cache. */
export interface LoadProgress {
  readonly phase: 'manifest' | 'download' | 'verify' | 'compile' | 'ready'
  /** File or graph being worked on, for display. */
  readonly item: string
  readonly loadedBytes: number
  readonly totalBytes: number
  readonly cachedBytes: number
}

/** A model that is loaded and ready to generate. */
export interface LoadedModel {
  readonly manifest: Manifest
  readonly backend: BackendReport
  /** Lengths in pixel frames that the chunk plan allows, ascending, up to the manifest's `maxFrames`. */
  readonly lengths: readonly number[]
  /** Milliseconds from the call of `load` to ready. */
  readonly loadMs: number
}

export interface LoadOptions {
  readonly backend: BackendChoice
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** A frame's pixels: RGBA, row-major, top row first, `width * height * 4` bytes. */
export type Rgba = Uint8ClampedArray<ArrayBuffer>

/** One take, fully determined: the same request on the same backend gives the same bytes. */
export interface GenerationRequest {
  readonly prompt: string
  /** Network evaluations a chunk, 1 to 64. */
  readonly steps: number
  /** Network evaluations of every chunk after the first one made, 1 to 64; `steps` where absent. */
  readonly laterSteps?: number | undefined
  /** Integer in 0..2^53-1. */
  readonly seed: number
  /** Chunks that were made again with a seed of their own; all others have `seed`. */
  readonly chunkSeeds?: readonly ChunkSeed[] | undefined
  /** Pixel frames, given ones included; one of {@link LoadedModel.lengths}. */
  readonly frames: number
  /**
   * Chunks keep coming until the take is stopped. `frames` is then how far back a chunk looks, itself included (the
   * context's fixed size), at least three chunks.
   */
  readonly endless?: boolean | undefined
  /**
   * Pixel frames that the take begins with, of the model's size: one for image to video, the end of a clip for
   * continuation. As many as whole chunks stand for (one of {@link LoadedModel.lengths}), fewer than `frames`. They
   * become the context of what is made, and come out again as the take's first frames, through the autoencoder.
   */
  readonly given?: readonly Rgba[] | undefined
}

/** A prompt that counts from a chunk on. */
export interface ChunkPrompt {
  /** Counted from 1. */
  readonly chunk: number
  readonly prompt: string
}

/** Where a generation stands. Counts start at 1; `chunks` is 0 without an end. `step` is 0 outside `denoise`. */
export interface ProgressEvent {
  readonly type: 'progress'
  readonly phase: 'text' | 'encode' | 'denoise' | 'cache' | 'decode'
  readonly chunk: number
  readonly chunks: number
  readonly step: number
  readonly steps: number
  /** Share of the whole take's work that is done, 0..1. */
  readonly fraction: number
}

/** Milliseconds, all measured; NaN never occurs, absent means not measured yet. */
export interface Timings {
  /** From the request to the first decoded frame. */
  readonly firstFrameMs?: number | undefined
  /** Mean of one network evaluation. */
  readonly passMs?: number | undefined
  /** Mean of one cache write. */
  readonly cacheMs?: number | undefined
  /** Mean of one chunk: all its passes, its cache write and its decoding. */
  readonly chunkMs?: number | undefined
  /** Mean of one decoded pixel frame. */
  readonly frameMs?: number | undefined
  /** Mean of one encoded latent frame; only takes with given frames have any. */
  readonly encodeMs?: number | undefined
  /** Mean of the work that showing one pass's estimate added; absent for models without estimates. */
  readonly estimateMs?: number | undefined
  /** Text encoder; 0 when the prompt's features were cached. */
  readonly textMs?: number | undefined
  /** From the request to now. */
  readonly totalMs: number
  /** Memory that buffers and textures hold on the GPU, bytes; absent on WASM. */
  readonly gpuBytes?: number | undefined
  /** The runtime's WASM heap, bytes. Weights and activations on WASM. */
  readonly wasmBytes?: number | undefined
}

export interface StartedEvent {
  readonly type: 'started'
  /** As asked for; without `given` where it crosses a worker boundary, which the asker has. */
  readonly request: GenerationRequest
  readonly width: number
  readonly height: number
  readonly fps: number
  /** 0 without an end. */
  readonly chunks: number
  /** The backend in use now; it can differ from the loaded one after a lost device. */
  readonly backend: BackendReport
}

/** Frames `first .. first + count - 1` are decoded. */
export interface FramesEvent {
  readonly type: 'frames'
  readonly first: number
  readonly count: number
}

/** Frames from `first` on are gone: `chunk` (from 1) of a take without an end is made again, with another seed. */
export interface UndoneEvent extends ChunkSeed {
  readonly type: 'undone'
  readonly first: number
}

/** From `chunk` (from 1) on, a take without an end follows another prompt. */
export interface PromptedEvent extends ChunkPrompt {
  readonly type: 'prompted'
}

export interface TimingEvent {
  readonly type: 'timing'
  readonly timings: Timings
}

/** The last event of every take that did not fail. `stopped` is true when the caller aborted it. */
export interface DoneEvent {
  readonly type: 'done'
  readonly stopped: boolean
  readonly frames: number
  readonly timings: Timings
}

/** What a consumer of {@link Generator.generate} sees; failures are thrown. */
export type GenerationEvent =
  StartedEvent | ProgressEvent | FramesEvent | UndoneEvent | PromptedEvent | TimingEvent | DoneEvent
