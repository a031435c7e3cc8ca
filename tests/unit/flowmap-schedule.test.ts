import { describe, expect, it } from 'vitest'

import { sigmaSchedule } from '../../src/flowmap/schedule'
import { readVectors } from './support/vectors'

const vectors = readVectors<{
  tolerance: number
  cases: { steps: number; shift: number; sigmas: number[] }[]
}>('schedule')

/** Velocity at time t of data N(0, s^2) noised linearly: E[e - x | z_t = z], which is linear in z. */
function velocity(z: number, t: number, s: number): number {
  const variance = (1 - t) ** 2 * s * s + t * t
  return ((t - (1 - t) * s * s) / variance) * z
}

/** Exact mean velocity from t to r: the ODE's solution scales z with the marginal's standard deviation. */
function meanVelocity(z: number, t: number, r: number, s: number): number {
  if (t === r) return velocity(z, t, s)
  const deviation = (time: number): number => Math.hypot((1 - time) * s, time)
  return (z - (z * deviation(r)) / deviation(t)) / (t - r)
}

function hop(z: number, t: number, r: number, s: number): number {
  return z - (t - r) * meanVelocity(z, t, r, s)
}

describe('sigmaSchedule', () => {
  it("agrees with diffusers' FlowMapEulerDiscreteScheduler for 1 to 64 steps and several shifts", () => {
    expect(vectors.cases.length).toBeGreaterThanOrEqual(64 * 3)
    for (const { steps, shift, sigmas } of vectors.cases) {
      const ours = sigmaSchedule(steps, shift)
      expect(ours).toHaveLength(steps + 1)
      sigmas.forEach((sigma, i) => expect(Math.abs(ours[i]! - sigma)).toBeLessThan(vectors.tolerance))
    }
  })

  it('goes down from 1 to 0, and its intervals sum to the whole', () => {
    for (const shift of [0.5, 1, 3, 5, 12]) {
      for (let steps = 1; steps <= 64; steps++) {
        const sigmas = sigmaSchedule(steps, shift)
        expect(sigmas[0]).toBe(1)
        expect(sigmas[steps]).toBe(0)
        let sum = 0
        for (let i = 0; i < steps; i++) {
          expect(sigmas[i]! - sigmas[i + 1]!).toBeGreaterThan(0)
          sum += sigmas[i]! - sigmas[i + 1]!
        }
        expect(sum).toBeCloseTo(1, 12)
      }
    }
  })

  it('refuses steps and shifts that make no schedule', () => {
    for (const steps of [0, -1, 65, 1.5, NaN]) expect(() => sigmaSchedule(steps, 3)).toThrow(RangeError)
    for (const shift of [0, -2, NaN, Infinity]) expect(() => sigmaSchedule(4, shift)).toThrow(RangeError)
  })

  it('two hops of an exact flow map equal one', () => {
    for (const s of [0.3, 1, 2.5]) {
      for (const [t, m, r] of [
        [1, 0.5, 0],
        [0.9, 0.4, 0.1],
        [0.7, 0.65, 0.2],
      ] as const) {
        expect(hop(hop(1.7, t, m, s), m, r, s)).toBeCloseTo(hop(1.7, t, r, s), 12)
      }
    }
  })

  it('any number of steps of an exact flow map lands on the same point', () => {
    const s = 0.6
    const once = hop(-0.8, 1, 0, s)
    for (const steps of [1, 2, 3, 7, 16, 64]) {
      const sigmas = sigmaSchedule(steps, 5)
      let z = -0.8
      for (let i = 0; i < steps; i++) z = hop(z, sigmas[i]!, sigmas[i + 1]!, s)
      expect(z).toBeCloseTo(once, 12)
    }
  })
})
