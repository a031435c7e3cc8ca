/** Tensors where the backend keeps them: made, gathered, read and freed without the engine knowing where that is. */

import type { Tensor } from './ort'

/** Frames `first .. first + count - 1` of a tensor `[1, F, ...]`. */
export interface FrameRange {
  readonly tensor: Tensor
  readonly first: number
  readonly count: number
}

/** Memory of one backend. Every tensor that it makes or that a graph returns is freed with `release`. */
export interface TensorStore {
  /** A float32 tensor with a copy of the data, or zeros, on the device. */
  create(dims: readonly number[], data?: Float32Array): Tensor
  /** An int32 tensor. These are tiny and stay on the CPU. */
  int32(dims: readonly number[], data: Int32Array): Tensor
  /**
   * Copies frames into a new tensor `[1, capacity, ...frame]`; what is left over is zero.
   * @param frame dimensions of one frame, `[C, h, w]`.
   */
  gather(ranges: readonly FrameRange[], capacity: number, frame: readonly number[]): Tensor
  /** A copy of the values in CPU memory. */
  read(tensor: Tensor): Promise<Float32Array>
  release(tensor: Tensor): void
}

/** Number of values. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, n) => product * n, 1)
}

/** Checks that ranges fit. @throws RangeError */
export function countGathered(ranges: readonly FrameRange[], capacity: number): number {
  const used = ranges.reduce((sum, range) => sum + range.count, 0)
  if (used > capacity) throw new RangeError(`${used} frames do not fit into ${capacity}`)
  return used
}
