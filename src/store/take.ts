import { createStore, type StoreApi } from 'zustand/vanilla'

import { withChunkSeed } from '../flowmap/seeds'
import type {
  ChunkPrompt,
  FramesEvent,
  GenerationEvent,
  GenerationRequest,
  ProgressEvent,
  Timings,
  UndoneEvent,
} from '../engine/types'
import { heldFrames } from '../engine/held-frames'
import type { ErrorCode } from '../errors'
import type { PreviewState } from '../worker/protocol'

/** A take whose frames the worker holds: what the preview plays and what export writes. */
export interface ShownTake {
  readonly request: GenerationRequest
  readonly width: number
  readonly height: number
  readonly fps: number
  /** Frames that are held: those decoded so far, or the newest of them where there is no end. */
  readonly frames: number
  /** Frames that came before those and are not held any more. */
  readonly dropped?: number | undefined
  /** Prompts that took the request's place while it was made, in order. */
  readonly prompts?: readonly ChunkPrompt[] | undefined
  /** True once every frame that was asked for is there; always where there is no end. */
  readonly complete: boolean
  /** A kept take of another model, or with given frames that are gone: it plays, but it cannot be made again. */
  readonly playOnly?: boolean | undefined
  /** How many given frames the kept take began with. */
  readonly lostGiven?: number | undefined
}

export interface TakeFailure {
  readonly code: ErrorCode
  readonly message: string
}

export interface TakeState {
  readonly phase: 'idle' | 'running' | 'done' | 'error'
  /** What is being made, or was made last. */
  readonly request: GenerationRequest | undefined
  /** Size and rate of the take being made, once the engine has accepted it. */
  readonly video:
    | { readonly width: number; readonly height: number; readonly fps: number; readonly chunks: number }
    | undefined
  readonly progress: ProgressEvent | undefined
  /** Frames decoded of the take being made. */
  readonly frames: number
  readonly timings: Timings | undefined
  readonly failure: TakeFailure | undefined
  readonly stopped: boolean
  /** True from the moment the newest chunk is to be made again until it is there. */
  readonly redoing: boolean
  /** Prompts that took the request's place, of the take being made. */
  readonly prompts: readonly ChunkPrompt[]
  /** Replaced by the new take's when its first frames arrive, so that the old one plays on until then. */
  readonly shown: ShownTake | undefined
  readonly preview: PreviewState
}

export type TakeStore = StoreApi<TakeState>

export function createTakeStore(): TakeStore {
  return createStore<TakeState>()(() => ({
    phase: 'idle',
    request: undefined,
    video: undefined,
    progress: undefined,
    frames: 0,
    timings: undefined,
    failure: undefined,
    stopped: false,
    redoing: false,
    prompts: [],
    shown: undefined,
    preview: { frame: -1, count: 0, playing: false },
  }))
}

/** The state when a take starts. Frames of an earlier take stay. */
export function beginTake(state: TakeState, request: GenerationRequest): TakeState {
  return {
    ...state,
    phase: 'running',
    request,
    video: undefined,
    progress: undefined,
    frames: 0,
    timings: undefined,
    failure: undefined,
    stopped: false,
    redoing: false,
    prompts: [],
  }
}

/** The state after one event of the take in `state.request`. Pure. */
export function reduceTake(state: TakeState, event: GenerationEvent): TakeState {
  switch (event.type) {
    case 'started':
      return { ...state, request: event.request, video: event }
    case 'progress':
      return { ...state, progress: event }
    case 'timing':
      return { ...state, timings: event.timings, redoing: false }
    case 'prompted': {
      const prompts = [...state.prompts, { chunk: event.chunk, prompt: event.prompt }]
      return { ...state, prompts }
    }
    case 'undone':
      return undoChunk(state, event)
    case 'frames': {
      const frames = event.first + event.count
      return { ...state, frames, shown: shownTake(state, event) }
    }
    case 'done':
      return {
        ...state,
        // Stopped before anything was decoded: as if it had not been asked for.
        phase: event.frames > 0 || state.shown ? 'done' : 'idle',
        stopped: event.stopped,
        redoing: false,
        timings: event.timings,
      }
  }
}

/** The chunk's frames are gone; the request says which seed it is made with now. */
function undoChunk(state: TakeState, { chunk, seed, first }: UndoneEvent): TakeState {
  const { request, shown } = state
  if (!request || !shown) return state
  const changed = { ...request, chunkSeeds: withChunkSeed(request.chunkSeeds, { chunk, seed }) }
  const frames = first - (shown.dropped ?? 0)
  return {
    ...state,
    request: changed,
    frames: first,
    redoing: true,
    shown: { ...shown, request: changed, frames },
  }
}

function shownTake(state: TakeState, { first, count }: FramesEvent): ShownTake | undefined {
  const { request, video, prompts } = state
  if (!request || !video) return state.shown
  const { width, height, fps } = video
  const made = first + count
  const gone = first === 0 ? 0 : (state.shown?.dropped ?? 0)
  const dropped = Math.max(gone, made - heldFrames(request, video))
  const complete = request.endless === true || made >= request.frames
  return { request, width, height, fps, frames: made - dropped, dropped, prompts, complete }
}

/** The state after the take failed. What was decoded before stays. */
export function failTake(state: TakeState, failure: TakeFailure): TakeState {
  return { ...state, phase: 'error', failure }
}

/** Frames to tell the world about: the running take's, else those that are held and playable. */
export function decodedFrames(state: TakeState): number {
  return state.phase === 'running' ? state.frames : (state.shown?.frames ?? 0)
}

/** A take whose frames are held on the stage while others are made. */
export interface HeldTake {
  /** What the generator holds it under. */
  readonly kept: number
  readonly shown: ShownTake
  readonly timings: Timings | undefined
}

/** The state when a held take is shown again. Nothing may be running. */
export function showHeld(state: TakeState, { shown, timings }: HeldTake, preview: PreviewState): TakeState {
  return {
    ...state,
    phase: 'done',
    request: shown.request,
    frames: shown.frames,
    timings,
    failure: undefined,
    stopped: !shown.complete,
    shown,
    preview,
  }
}
