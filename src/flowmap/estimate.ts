/** What a chunk will be, as far as can be told in the middle of its denoising. */

/**
 * The clean latents that a step from `t` to `r` points at: its mean velocity `u = (z_t - z_r) / (t - r)` followed to the
 * end, `z_r - r u`. With `r = 0` it is `z_r` itself.
 * @param before `z_t`, @param after `z_r`, of the same length; `0 <= r < t <= 1`.
 * @throws RangeError for lengths that differ or times in the wrong order.
 */
export function cleanEstimate(
  before: Float32Array,
  after: Float32Array,
  t: number,
  r: number,
): Float32Array<ArrayBuffer> {
  if (before.length !== after.length)
    throw new RangeError(`${before.length} latents before a step, ${after.length} after it`)
  if (!(t > r && r >= 0)) throw new RangeError(`a step goes from t down to r, not from ${t} to ${r}`)
  const rest = r / (t - r)
  return Float32Array.from(after, (value, i) => value - rest * (before[i]! - value))
}
