import { hasJspi } from './ort'
import type { BackendName } from './report'

/** The files under `ort/` that a backend loads in this browser. They are named as in scripts/vite/ort-assets.ts. */
export function ortFiles(backend: BackendName): string[] {
  const build = backend === 'wasm' ? '' : hasJspi() ? '.jspi' : '.asyncify'
  return ['mjs', 'wasm'].map((extension) => `ort-wasm-simd-threaded${build}.${extension}`)
}
