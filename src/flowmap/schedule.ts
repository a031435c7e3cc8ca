/** The sigma schedule of the any-step flow-map sampler. */

/** Fewest and most network evaluations a chunk may take. */
export const MIN_STEPS = 1
export const MAX_STEPS = 64

/**
 * Sigmas from 1 (noise) to 0 (data), `steps + 1` of them: evenly spaced, then shifted towards noise by
 * `k s / (1 + (k - 1) s)`. Agrees with diffusers' `FlowMapEulerDiscreteScheduler`.
 *
 * @param steps whole number in 1..64.
 * @param shift k > 0; 1 leaves the spacing even, larger values spend more steps near noise.
 * @throws RangeError
 */
export function sigmaSchedule(steps: number, shift: number): Float64Array {
  if (!Number.isInteger(steps) || steps < MIN_STEPS || steps > MAX_STEPS) {
    throw new RangeError(`steps must be a whole number from ${MIN_STEPS} to ${MAX_STEPS}, not ${steps}`)
  }
  if (!(shift > 0) || !Number.isFinite(shift)) {
    throw new RangeError(`shift must be a positive number, not ${shift}`)
  }
  const sigmas = new Float64Array(steps + 1)
  for (let i = 0; i <= steps; i++) {
    const even = 1 - i / steps
    sigmas[i] = (shift * even) / (1 + (shift - 1) * even)
  }
  return sigmas
}
