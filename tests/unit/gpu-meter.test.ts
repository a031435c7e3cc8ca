import { describe, expect, it, vi } from 'vitest'

import { GpuMeter } from '../../src/runtime/gpu-meter'

function fakeDevice() {
  const destroyed = vi.fn()
  const device = {
    createBuffer: ({ size }: GPUBufferDescriptor) => ({ size, destroy: destroyed }) as unknown as GPUBuffer,
    createTexture: ({ size, format }: GPUTextureDescriptor) => {
      const [width, height] = size as [number, number]
      return { width, height, depthOrArrayLayers: 1, format, destroy: destroyed } as unknown as GPUTexture
    },
  }
  return { device, destroyed }
}

describe('GpuMeter', () => {
  it('counts what was made and not destroyed, once', () => {
    const { device, destroyed } = fakeDevice()
    device.createBuffer({ size: 1000, usage: 0 })
    const meter = new GpuMeter(device)
    const buffer = device.createBuffer({ size: 64, usage: 0 })
    const texture = device.createTexture({ size: [8, 4], format: 'rgba8unorm', usage: 0 })
    expect(meter.bytes, 'what came before is not counted').toBe(64 + 8 * 4 * 4)
    buffer.destroy()
    buffer.destroy()
    expect(destroyed).toHaveBeenCalledTimes(2)
    expect(meter.bytes).toBe(128)
    texture.destroy()
    expect(meter.bytes).toBe(0)
  })
})
