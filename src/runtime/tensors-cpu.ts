/** {@link TensorStore} in CPU memory. */

import type { Ort, Tensor } from './ort'
import { countGathered, type FrameRange, sizeOf, type TensorStore } from './tensors'

export class CpuTensors implements TensorStore {
  constructor(private readonly ort: Ort) {}

  create(dims: readonly number[], data?: Float32Array): Tensor {
    return new this.ort.Tensor('float32', data ? data.slice() : new Float32Array(sizeOf(dims)), dims)
  }

  int32(dims: readonly number[], data: Int32Array): Tensor {
    return new this.ort.Tensor('int32', data, dims)
  }

  gather(ranges: readonly FrameRange[], capacity: number, frame: readonly number[]): Tensor {
    countGathered(ranges, capacity)
    const size = sizeOf(frame)
    const data = new Float32Array(capacity * size)
    let offset = 0
    for (const { tensor, first, count } of ranges) {
      const source = tensor.data as Float32Array
      data.set(source.subarray(first * size, (first + count) * size), offset)
      offset += count * size
    }
    return new this.ort.Tensor('float32', data, [1, capacity, ...frame])
  }

  read(tensor: Tensor): Promise<Float32Array> {
    return Promise.resolve((tensor.data as Float32Array).slice())
  }

  release(tensor: Tensor): void {
    tensor.dispose()
  }
}
