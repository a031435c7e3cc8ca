/** Which backend was asked for and which one is in use. */

/** What the user may ask for. `auto` prefers WebGPU and falls back to WASM. */
export type BackendChoice = 'auto' | 'webgpu' | 'wasm'

/** What is in use. */
export type BackendName = 'webgpu' | 'wasm'

/** Which backend is in use and why, in words that can be shown. */
export interface BackendReport {
  readonly backend: BackendName
  /** Short label, e.g. "WebGPU" or "WASM, 2 threads". */
  readonly label: string
  /** One sentence: why this one. */
  readonly reason: string
  /** Adapter description on WebGPU, else an empty string. */
  readonly adapter: string
  /** Threads used by WASM (1 on WebGPU). */
  readonly threads: number
}
