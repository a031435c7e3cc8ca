import { describe, expect, it } from 'vitest'

import type { Manifest } from '../../../src/models/manifest'
import { learnSpeed, predictTake, SpeedMemory } from '../../../src/store/speed'

const manifest = {
  video: { temporalStride: 4 },
  transformer: { chunkPlan: { first: 1, rest: 2 } },
} as unknown as Manifest

// 5 chunks: 20 passes, 4 cache writes, 33 frames.
const request = { frames: 33, steps: 4 }
const timings = { passMs: 50, cacheMs: 60, frameMs: 10, totalMs: 20 * 50 + 4 * 60 + 33 * 10 + 33 }

describe('remembered speeds', () => {
  it('are of one model on one backend, and outlive the page', () => {
    const kept = new Map<string, string>()
    const local = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    }
    new SpeedMemory(local).remember('worlds', 'WASM, 2 threads', { passMs: 20, restMs: 1 })
    const later = new SpeedMemory(local)
    expect(later.of('worlds', 'WASM, 2 threads')).toEqual({ passMs: 20, restMs: 1 })
    expect(later.of('worlds', 'WebGPU')).toEqual({})
    for (const key of kept.keys()) kept.set(key, '{"worlds/WebGPU":{"passMs":"fast"}}')
    expect(later.of('worlds', 'WebGPU'), 'nonsense is not believed').toEqual({})
  })
})

describe('the predicted time of a take', () => {
  it('is not known before something was measured', () => {
    expect(predictTake({}, request, manifest)).toBeUndefined()
  })

  it('of the take that was measured is the time it took', () => {
    const speed = learnSpeed({}, timings, request, manifest)
    expect(predictTake(speed, request, manifest)).toBeCloseTo(timings.totalMs)
  })

  it('grows with the passes, and less than in proportion', () => {
    const speed = learnSpeed({}, timings, request, manifest)
    const at = (steps: number): number => predictTake(speed, { ...request, steps }, manifest)!
    expect(at(8) - at(4)).toBeCloseTo(20 * 50)
    expect(at(8)).toBeLessThan(2 * at(4))
    expect(predictTake(speed, { ...request, laterSteps: 1 }, manifest)).toBeCloseTo(at(4) - 12 * 50)
  })

  it('knows a part only once a take had it', () => {
    const one = learnSpeed({}, { passMs: 50, frameMs: 10, totalMs: 260 }, { frames: 1, steps: 4 }, manifest)
    expect(predictTake(one, { frames: 1, steps: 2 }, manifest)).toBeCloseTo(160)
    expect(predictTake(one, request, manifest), 'no cache write was measured').toBeUndefined()
    const both = learnSpeed(one, timings, request, manifest)
    expect(
      predictTake(both, { ...request, given: { length: 1 } }, manifest),
      'nothing was encoded',
    ).toBeUndefined()
    const given = { ...request, given: { length: 17 } }
    const all = learnSpeed(both, { ...timings, encodeMs: 5, totalMs: 2000 }, given, manifest)
    expect(predictTake(all, given, manifest)).toBeCloseTo(2000)
    expect(all.cacheMs).toBe(60)
  })
})
