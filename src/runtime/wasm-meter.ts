/**
 * Counts the WASM memory that this thread has made. ORT keeps its heap to itself, but its glue makes it with
 * `new WebAssembly.Memory`, which can be watched. `performance.measureUserAgentSpecificMemory` would count all there is, but took
 * a minute to answer when it was tried.
 */

let watched: WeakRef<WebAssembly.Memory>[] | undefined

/** Watches from now on; call it before ORT is started. */
export function watchWasmMemory(): void {
  if (watched) return
  const memories: WeakRef<WebAssembly.Memory>[] = (watched = [])
  WebAssembly.Memory = class extends WebAssembly.Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor)
      memories.push(new WeakRef(this))
    }
  }
}

/** Bytes of all memories that are still there; undefined before they are watched. */
export function wasmBytes(): number | undefined {
  return watched?.reduce((sum, memory) => sum + (memory.deref()?.buffer.byteLength ?? 0), 0)
}
