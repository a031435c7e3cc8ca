import type { LoadedModel } from '../engine/types'
import type { Studio } from '../store/studio'
import type { TakeState } from '../store/take'
import type { FramePixels } from '../worker/protocol'

/** What end-to-end tests and the benchmark reach through `window.__anyflow` when the address says `?test=1`. */
export interface TestHook {
  /** SHA-256 of all decoded frames, hex. */
  digest(): Promise<string>
  getFrame(index: number): Promise<FramePixels>
  /** Loses the WebGPU device, as a driver reset would. */
  destroyDevice(): Promise<void>
  take(): TakeState
  loaded(): LoadedModel | undefined
}

declare global {
  interface Window {
    __anyflow?: TestHook
  }
}

export function installTestHook(studio: Studio): void {
  if (new URLSearchParams(location.search).get('test') !== '1') return
  window.__anyflow = {
    digest: () => studio.generator.digest(),
    getFrame: (index) => studio.generator.getFrame(index),
    destroyDevice: () => studio.generator.destroyDevice(),
    take: () => studio.take.getState(),
    loaded: () => studio.model.getState().loaded,
  }
}
