/**
 * Messages between the page and its two workers. The engine worker runs the model; the stage worker keeps the decoded
 * frames, plays them on the canvas and hands them out, so that neither is ever blocked by inference. Every call has
 * an `id` and gets exactly one `result` or `error`. Takes are pulled: the page calls `next`, the engine works until the next event
 * and answers; nobody asks, nothing runs.
 */

import type {
  BackendChoice,
  GenerationEvent,
  GenerationRequest,
  LoadedModel,
  LoadProgress,
} from '../engine/types'
import type { SmallPictures } from '../engine/estimate'
import type { SerialisedError } from '../errors'

/** One frame, RGBA, row-major, top row first. */
export interface FramePixels {
  readonly index: number
  readonly width: number
  readonly height: number
  /** `width * height * 4` bytes. */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>
}

/** Tokens a prompt uses, including the tokenizer's markers. */
export interface TokenCount {
  readonly used: number
  readonly limit: number
}

/** What the preview shows now. */
export interface PreviewState {
  /** Frame on the canvas, or -1 while it is empty. */
  readonly frame: number
  /** Frames decoded so far. */
  readonly count: number
  readonly playing: boolean
  /** True while the canvas shows, in place of a frame, what the chunk under way looks like so far. */
  readonly estimate?: boolean | undefined
  /** True while a take without an end is held back, because too much of it has not been played yet. */
  readonly waiting?: boolean | undefined
}

/** Frames to play that did not come from the engine: a kept take. */
export interface PresentedClip {
  readonly width: number
  readonly height: number
  /** Frames a second, an integer. */
  readonly fps: number
  /** RGBA, `width * height * 4` bytes each; at least one. */
  readonly frames: readonly Uint8ClampedArray<ArrayBuffer>[]
}

/** How the preview plays. */
export interface Playback {
  /** At the end: start over, or stay on the last frame. */
  readonly loop: boolean
  /** 1 is the clip's own speed, 2 twice as fast, -1 backwards. Not 0. */
  readonly rate: number
}

/** What a tile keeps time with: all other tiles, or the frame that the preview shows. */
export type TileSync = 'tiles' | 'preview'

/** A call by name: what it takes and what it gives. */
export interface CallSpec {
  readonly args: unknown
  readonly result: unknown
}

/** A set of calls; written so that an interface without an index signature fits. */
export type CallTable<C> = { [K in keyof C]: CallSpec }

type NoArgs = Record<string, never>

/** Calls of the engine worker. */
export interface EngineCalls {
  /** Must come first: the port to the stage. */
  connect: { args: { stage: MessagePort }; result: undefined }
  load: { args: { url: string; backend: BackendChoice }; result: LoadedModel }
  countTokens: { args: { prompt: string }; result: TokenCount }
  /**
   * Starts a take; a running one is stopped and awaited first.
   * `stopFlag` is the memory of a `StopFlag`, absent where memory cannot be shared.
   */
  start: {
    args: { request: GenerationRequest; stopFlag: SharedArrayBuffer | undefined }
    result: { take: number }
  }
  /** Works until the take's next event; `undefined` when it is over. */
  next: { args: { take: number }; result: GenerationEvent | undefined }
  /** Asks the take to end; its `next` then gives `done` with `stopped`. */
  stop: { args: { take: number }; result: undefined }
  /** Changes the prompt of a running take without an end, from its next chunk on. */
  setPrompt: { args: { prompt: string }; result: undefined }
  /** Makes the newest chunk of a running take without an end again. */
  redoChunk: { args: { seed: number }; result: undefined }
  destroyDevice: { args: NoArgs; result: undefined }
  dispose: { args: NoArgs; result: undefined }
}

/** Calls of the stage worker. */
export interface StageCalls {
  connect: { args: { engine: MessagePort }; result: undefined }
  attachCanvas: { args: { canvas: OffscreenCanvas }; result: undefined }
  /** Pixel size of the preview canvas' backing store. */
  resizeCanvas: { args: { width: number; height: number }; result: undefined }
  /** A second canvas, for the estimate of the chunk under way, its latent frames side by side; empty without one. */
  attachEstimate: { args: { canvas: OffscreenCanvas }; result: undefined }
  play: { args: NoArgs; result: PreviewState }
  pause: { args: NoArgs; result: PreviewState }
  seek: { args: { frame: number }; result: PreviewState }
  setPlayback: { args: Playback; result: PreviewState }
  present: { args: PresentedClip; result: PreviewState }
  /** Of held frames where `kept` says which. */
  getFrame: { args: { index: number; kept?: number | undefined }; result: FramePixels }
  digest: { args: NoArgs; result: string }
  /** Holds the frames there are, beyond the next take. */
  keep: { args: NoArgs; result: { kept: number } }
  /** Makes held frames the ones that are played and handed out. */
  showKept: { args: { kept: number }; result: PreviewState }
  dropKept: { args: { kept: readonly number[] }; result: undefined }
  /** Plays held frames on a canvas of their own. */
  attachTile: { args: { canvas: OffscreenCanvas; kept: number; sync: TileSync }; result: { tile: number } }
  detachTile: { args: { tile: number }; result: undefined }
}

/** A call on its way, as a union over the names, so that `name` decides the type of `args`. */
export type CallMessage<C extends CallTable<C>> = {
  [K in keyof C & string]: {
    readonly type: 'call'
    readonly id: number
    readonly name: K
    readonly args: C[K]['args']
  }
}[keyof C & string]

/** Page to worker. */
export type ToWorker<C extends CallTable<C>> =
  CallMessage<C> | { readonly type: 'abort'; readonly id: number }

/** Worker to page. */
export type FromWorker =
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: SerialisedError }
  | { readonly type: 'load-progress'; readonly id: number; readonly progress: LoadProgress }
  | { readonly type: 'preview'; readonly state: PreviewState }

/** Engine to stage, over their own port. Every message but `bitmap` is answered by `done` with its `seq`. */
export type ToStage =
  /** A new take's first frames are there: forget the old ones. */
  | {
      readonly type: 'begin'
      readonly seq: number
      readonly width: number
      readonly height: number
      readonly fps: number
      /** Newest frames to hold; `Infinity` for all. With a limit the take is live: it plays on, never in a loop. */
      readonly hold: number
    }
  /** A live take has ended: what is held plays in a loop. */
  | { readonly type: 'finish'; readonly seq: number }
  /** Frames can be drawn by the engine (WebGPU); their pixels follow. */
  | { readonly type: 'drawable'; readonly seq: number; readonly count: number }
  | {
      readonly type: 'pixels'
      readonly seq: number
      readonly first: number
      readonly frames: readonly Uint8ClampedArray<ArrayBuffer>[]
    }
  /** Frames from that many of the take on are gone. */
  | { readonly type: 'truncate'; readonly seq: number; readonly count: number }
  /** A live take is not to be held back for now. */
  | { readonly type: 'let-go'; readonly seq: number }
  /** What the chunk of pixel frames `first .. first + count - 1` looks like so far. */
  | {
      readonly type: 'estimate'
      readonly seq: number
      readonly first: number
      readonly count: number
      readonly pictures: SmallPictures
      readonly video: { readonly width: number; readonly height: number; readonly fps: number }
    }
  /** No chunk is under way any more. */
  | { readonly type: 'estimate-over'; readonly seq: number }
  /** The engine can no longer draw: the device is gone. The stage draws from pixels. */
  | { readonly type: 'device-gone'; readonly seq: number }
  | { readonly type: 'bitmap'; readonly request: number; readonly bitmap: ImageBitmap | undefined }

/** Stage to engine. */
export type FromStage =
  | { readonly type: 'done'; readonly seq: number }
  /** Asks for a frame drawn by WGSL; answered by `bitmap`. */
  | {
      readonly type: 'draw'
      readonly request: number
      readonly index: number
      readonly width: number
      readonly height: number
    }
