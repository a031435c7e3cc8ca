import type { BackendName } from './report'

/** True where WebAssembly can wait for promises by itself, which the smaller and faster WebGPU build needs. */
export function hasJspi(): boolean {
  return 'Suspending' in WebAssembly
}

/** Put in by the build (scripts/vite/ort-assets.ts). */
declare const __ORT_VERSION__: string

/** Where ORT's glue and binaries lie, below the place that the app is served from. */
export const ORT_FOLDER = `ort/${__ORT_VERSION__}/`

/** The files in {@link ORT_FOLDER} that a backend loads in this browser. They are named as in scripts/vite/ort-assets.ts. */
export function ortFiles(backend: BackendName): string[] {
  const build = backend === 'wasm' ? '' : hasJspi() ? '.jspi' : '.asyncify'
  return ['mjs', 'wasm'].map((extension) => `ort-wasm-simd-threaded${build}.${extension}`)
}
