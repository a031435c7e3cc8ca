import { createStore, type StoreApi } from 'zustand/vanilla'

import { DEFAULT_SETTINGS, type ExportSettings } from '../export/settings'

/** Frames to export, both included. */
export interface FrameRange {
  readonly first: number
  readonly last: number
}

/** What an export will be like, the export in progress, and how the last one ended. */
export interface ExportState {
  readonly phase: 'idle' | 'running' | 'done' | 'error'
  /** 0..1 while running. */
  readonly fraction: number
  /** One sentence for people: what was written, or what went wrong. */
  readonly message: string | undefined
  readonly settings: ExportSettings
  /** A part of the take on the preview; `undefined` for all of it. */
  readonly range: FrameRange | undefined
}

export type ExportStore = StoreApi<ExportState>

export function createExportStore(settings: ExportSettings = DEFAULT_SETTINGS): ExportStore {
  return createStore<ExportState>()(() => ({
    phase: 'idle',
    fraction: 0,
    message: undefined,
    settings,
    range: undefined,
  }))
}
