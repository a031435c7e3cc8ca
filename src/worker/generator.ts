/** The one interface the UI knows. `WorkerGenerator` (client.ts) implements it over the worker. */

import type { GenerationEvent, GenerationRequest, LoadedModel, LoadOptions } from '../engine/types'
import type { FramePixels, Playback, PresentedClip, PreviewState, TileSync, TokenCount } from './protocol'

export interface Generator {
  /**
   * Downloads (or takes from the cache), verifies and compiles a model package.
   * @param url folder of the package (absolute or relative to the page), with or without a trailing slash.
   * @throws ModelError, BackendError
   */
  load(url: string, options: LoadOptions): Promise<LoadedModel>

  /** Tokens the prompt uses, for a live counter. Needs a loaded model. */
  countTokens(prompt: string): Promise<TokenCount>

  /**
   * Makes a take. Pulled: work happens while a `next()` is pending. Aborting ends it within one pass with a `done`
   * event whose `stopped` is true. Breaking out of the loop stops it too. A second call stops the first one,
   * waits for its end, then starts. Decoded frames stay playable and exportable until the next take's first frame.
   * @throws RequestError (bad input), BackendError (device lost ...), ModelError (no model loaded)
   */
  generate(request: GenerationRequest, signal?: AbortSignal): AsyncGenerator<GenerationEvent, void, void>

  /** Changes the prompt of a running take without an end; it counts from the next chunk on. */
  setPrompt(prompt: string): Promise<void>

  /**
   * Discards the newest finished chunk of a running take without an end and makes it again with another seed; an `undone`
   * event says so. No effect on the first chunk, on given ones, and on a chunk that is being made again.
   */
  redoChunk(seed: number): Promise<void>

  /** Hands the preview canvas over (`canvas.transferControlToOffscreen()`). It may be replaced at any time. */
  attachCanvas(canvas: OffscreenCanvas): Promise<void>
  /** Sets the backing store's size in device pixels; frames are scaled to fill it. */
  resizeCanvas(width: number, height: number): Promise<void>

  /** Hands over a canvas on which the stage draws the estimate of the chunk under way, and nothing without one. */
  attachEstimate(canvas: OffscreenCanvas): Promise<void>

  /** The preview loops over the frames decoded so far at the model's fps. It starts by itself with the first frames. */
  play(): Promise<PreviewState>
  pause(): Promise<PreviewState>
  /** Pauses on a frame. The promise resolves once it is drawn. */
  seek(frame: number): Promise<PreviewState>
  /** Looping and speed; they hold for later takes too. */
  setPlayback(playback: Playback): Promise<PreviewState>
  /** Puts a kept take in the place of the last one: it plays, and is what `getFrame` gives. Its buffers move. */
  present(clip: PresentedClip): Promise<PreviewState>
  /** Called when the frame on the canvas, the count or the playing flag changes. Returns the unsubscriber. */
  onPreview(listener: (state: PreviewState) => void): () => void

  /**
   * One decoded frame, for export and tests: ask for the next when the last is consumed.
   * @param kept of the frames held under this number; without, of those that play.
   */
  getFrame(index: number, kept?: number): Promise<FramePixels>
  /** SHA-256, hex, of all decoded frames' RGBA bytes in order. */
  digest(): Promise<string>

  /** Holds the frames decoded so far beyond the next take, until `dropKept`. @returns the number they are held under. */
  keep(): Promise<number>
  /** Makes held frames the ones that play and are handed out. No take may be running. */
  showKept(kept: number): Promise<PreviewState>
  dropKept(kept: readonly number[]): Promise<void>
  /**
   * Plays held frames on a canvas of their own, in step with the other tiles or with the preview.
   * @returns what `detachTile` takes.
   */
  attachTile(canvas: OffscreenCanvas, kept: number, sync: TileSync): Promise<number>
  detachTile(tile: number): Promise<void>

  /** Test hook: destroys the WebGPU device as a driver reset would. No effect on WASM. */
  destroyDevice(): Promise<void>

  /** Ends the worker. Nothing else may be called after. */
  dispose(): Promise<void>
}
