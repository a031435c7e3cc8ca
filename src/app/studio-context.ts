import { createContext, useContext } from 'react'
import { useStore } from 'zustand'

import type { ExportState } from '../store/export'
import type { GalleryState } from '../store/gallery'
import type { ModelState } from '../store/model'
import type { ModelLibraryState } from '../store/model-library'
import type { PlaybackState } from '../store/playback'
import type { RequestState } from '../store/request'
import type { CompareState } from '../store/compare'
import type { SourceState } from '../store/source'
import type { Speed } from '../store/speed'
import type { SweepState } from '../store/sweep'
import type { Studio } from '../store/studio'
import type { TakeState } from '../store/take'

const StudioContext = createContext<Studio | undefined>(undefined)

/** Gives every component below it the studio. */
export const StudioProvider = StudioContext.Provider

/** @throws Error outside a {@link StudioProvider} */
export function useStudio(): Studio {
  const studio = useContext(StudioContext)
  if (!studio) throw new Error('useStudio needs a StudioProvider above it')
  return studio
}

/** Each hook re-renders its component only when what `selector` picks has changed. */
export const useRequest = <T>(selector: (state: RequestState) => T): T =>
  useStore(useStudio().request, selector)
export const useModel = <T>(selector: (state: ModelState) => T): T => useStore(useStudio().model, selector)
export const useTake = <T>(selector: (state: TakeState) => T): T => useStore(useStudio().take, selector)
export const useExport = <T>(selector: (state: ExportState) => T): T =>
  useStore(useStudio().exports, selector)
export const useGallery = <T>(selector: (state: GalleryState) => T): T =>
  useStore(useStudio().gallery.store, selector)
export const useModelLibrary = <T>(selector: (state: ModelLibraryState) => T): T =>
  useStore(useStudio().library.store, selector)
export const usePlayback = <T>(selector: (state: PlaybackState) => T): T =>
  useStore(useStudio().playback.store, selector)
export const useSource = <T>(selector: (state: SourceState) => T): T =>
  useStore(useStudio().sources.store, selector)
export const useSpeed = <T>(selector: (state: Speed) => T): T => useStore(useStudio().speed, selector)
export const useSweep = <T>(selector: (state: SweepState) => T): T =>
  useStore(useStudio().sweep.store, selector)
export const useCompare = <T>(selector: (state: CompareState) => T): T =>
  useStore(useStudio().compare.store, selector)
