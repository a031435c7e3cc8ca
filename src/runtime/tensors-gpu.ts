/** {@link TensorStore} in GPU buffers of the device that ORT runs on. Nothing here reads back but `read`. */

import type { Ort, Tensor } from './ort'
import { countGathered, type FrameRange, sizeOf, type TensorStore } from './tensors'

const FLOAT_BYTES = 4
/** ORT rounds its buffers up to this, and checks ours against it. */
const BUFFER_GRANULE = 16

export class GpuTensors implements TensorStore {
  constructor(
    private readonly ort: Ort,
    private readonly device: GPUDevice,
  ) {}

  create(dims: readonly number[], data?: Float32Array): Tensor {
    const { buffer, tensor } = this.allocate(dims)
    if (data) {
      // `writeBuffer` refuses shared memory, which the WASM heap is with threads; a copy never is.
      this.device.queue.writeBuffer(buffer, 0, Float32Array.from(data))
    }
    return tensor
  }

  int32(dims: readonly number[], data: Int32Array): Tensor {
    return new this.ort.Tensor('int32', data, dims)
  }

  gather(ranges: readonly FrameRange[], capacity: number, frame: readonly number[]): Tensor {
    countGathered(ranges, capacity)
    const bytes = sizeOf(frame) * FLOAT_BYTES
    const { buffer, tensor } = this.allocate([1, capacity, ...frame])
    if (ranges.length > 0) {
      const encoder = this.device.createCommandEncoder()
      let offset = 0
      for (const range of ranges) {
        const size = range.count * bytes
        encoder.copyBufferToBuffer(gpuBufferOf(range.tensor), range.first * bytes, buffer, offset, size)
        offset += size
      }
      this.device.queue.submit([encoder.finish()])
    }
    return tensor
  }

  async read(tensor: Tensor): Promise<Float32Array> {
    const bytes = sizeOf(tensor.dims) * FLOAT_BYTES
    const staging = this.device.createBuffer({
      size: bytes,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    })
    try {
      const encoder = this.device.createCommandEncoder()
      encoder.copyBufferToBuffer(gpuBufferOf(tensor), 0, staging, 0, bytes)
      this.device.queue.submit([encoder.finish()])
      await staging.mapAsync(GPUMapMode.READ)
      return new Float32Array(staging.getMappedRange().slice(0))
    } finally {
      staging.destroy()
    }
  }

  release(tensor: Tensor): void {
    tensor.dispose()
  }

  /** New buffers are zero. */
  private allocate(dims: readonly number[]): { buffer: GPUBuffer; tensor: Tensor } {
    const bytes = Math.ceil((sizeOf(dims) * FLOAT_BYTES) / BUFFER_GRANULE) * BUFFER_GRANULE
    const buffer = this.device.createBuffer({
      size: bytes,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    })
    const tensor = this.ort.Tensor.fromGpuBuffer(buffer, {
      dataType: 'float32',
      dims,
      dispose: () => buffer.destroy(),
    })
    return { buffer, tensor }
  }
}

/** The buffer behind a tensor that lives on the GPU. ORT's type for it is its own; the object is the page's. */
export function gpuBufferOf(tensor: Tensor): GPUBuffer {
  return tensor.gpuBuffer
}
