import { expect, it } from 'vitest'

import { wasmBytes, watchWasmMemory } from '../../src/runtime/wasm-meter'

it('counts WASM memory, as it grows', () => {
  expect(wasmBytes()).toBeUndefined()
  watchWasmMemory()
  watchWasmMemory()
  expect(wasmBytes()).toBe(0)
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 4 })
  expect(memory).toBeInstanceOf(WebAssembly.Memory)
  expect(wasmBytes()).toBe(65536)
  memory.grow(2)
  expect(wasmBytes()).toBe(3 * 65536)
})
