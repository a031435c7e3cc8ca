/** Decoder output to pixels, on the CPU. The WGSL in shaders.ts does the same. */

/**
 * One frame of `[N, 3, H, W]` float planes, 0..1 with overshoot, as RGBA bytes: clamped, rounded to nearest, opaque.
 * @param frame row of the first dimension.
 */
export function quantiseFrame(
  data: Float32Array,
  frame: number,
  width: number,
  height: number,
): Uint8ClampedArray<ArrayBuffer> {
  const area = width * height
  const red = frame * 3 * area
  const rgba = new Uint8ClampedArray(area * 4)
  for (let i = 0; i < area; i++) {
    rgba[i * 4] = toByte(data[red + i]!)
    rgba[i * 4 + 1] = toByte(data[red + area + i]!)
    rgba[i * 4 + 2] = toByte(data[red + 2 * area + i]!)
    rgba[i * 4 + 3] = 255
  }
  return rgba
}

/** Half rounds up, as WGSL's `pack4x8unorm` does; a clamped array alone would round half to even. NaN becomes 0. */
function toByte(value: number): number {
  return Math.floor(Math.min(Math.max(value, 0), 1) * 255 + 0.5)
}
