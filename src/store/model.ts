import { createStore, type StoreApi } from 'zustand/vanilla'

import type { LoadedModel, LoadProgress } from '../engine/types'
import type { ModelIndex } from './catalog'

/** The model in use and how far its loading has come. */
export interface ModelState {
  readonly phase: 'loading' | 'ready' | 'error'
  readonly index: ModelIndex | undefined
  readonly progress: LoadProgress | undefined
  readonly loaded: LoadedModel | undefined
  /** Text of the last load's failure. */
  readonly error: string | undefined
}

export type ModelStore = StoreApi<ModelState>

export function createModelStore(): ModelStore {
  return createStore<ModelState>()(() => ({
    phase: 'loading',
    index: undefined,
    progress: undefined,
    loaded: undefined,
    error: undefined,
  }))
}
