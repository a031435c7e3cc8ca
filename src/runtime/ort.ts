/** Loading onnxruntime-web: which build, from where, with how many threads. */

import type * as OrtModule from 'onnxruntime-web'

import { ORT_FOLDER } from './ort-files'
import { watchWasmMemory } from './wasm-meter'

export type Ort = typeof OrtModule
export type Tensor = OrtModule.Tensor
export type Session = OrtModule.InferenceSession

/** The builds this project uses. `jspi` and `asyncify` carry the native WebGPU provider; `wasm` the CPU one alone. */
export type OrtBuild = 'jspi' | 'asyncify' | 'wasm'

/** Most threads worth starting: all of few cores, half of many (the rest are usually hyper-threads). */
export function chooseThreads(cores: number, isolated: boolean): number {
  if (!isolated) return 1
  return cores <= 4 ? Math.max(1, cores) : Math.min(8, Math.ceil(cores / 2))
}

/** Where ORT's glue and binaries are served in the browser; undefined leaves the choice to the package (Node). */
function assetFolder(): string | undefined {
  const location = globalThis.location as Location | undefined
  if (!location) return undefined
  // In a build this is a worker in `assets/`, in whatever folder the app lies.
  const root = import.meta.env.PROD ? new URL('..', location.href) : new URL('/', location.href)
  return new URL(ORT_FOLDER, root).href
}

const loaded = new Map<OrtBuild, Promise<Ort>>()

/** Imports a build once and configures it; later calls give the same module. A failed import is tried anew. */
export function loadOrt(build: OrtBuild, threads: number): Promise<Ort> {
  const existing = loaded.get(build)
  if (existing) return existing
  const loading = importOrt(build, threads)
  loaded.set(build, loading)
  loading.catch(() => loaded.delete(build))
  return loading
}

async function importOrt(build: OrtBuild, threads: number): Promise<Ort> {
  watchWasmMemory()
  const ort: Ort = await (build === 'jspi'
    ? import('onnxruntime-web/jspi')
    : build === 'asyncify'
      ? import('onnxruntime-web/webgpu')
      : import('onnxruntime-web/wasm'))
  const folder = assetFolder()
  if (folder !== undefined) ort.env.wasm.wasmPaths = folder
  ort.env.wasm.numThreads = threads
  // This code runs in a worker already.
  ort.env.wasm.proxy = false
  ort.env.logLevel = 'error'
  return ort
}
