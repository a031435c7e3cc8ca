import { describe, expect, it } from 'vitest'

import { readAnyStep } from '../../../src/store/any-step'

const row = (method: string, nfe: number, frechet: number, architecture = 'causal') => ({
  ...{ model: 'worlds-128', architecture, method, nfe, clips: 512, seed: 0 },
  ...{ frechet, frechet_ci: [frechet - 1, frechet + 1], frechet_floor: 2, prompt_accuracy: 0.5, drift: null },
})

describe('measured quality against steps', () => {
  it('is a line a method, its own first, each by steps', () => {
    const data = readAnyStep(
      [row('consistency', 4, 30), row('onpolicy', 16, 8), row('onpolicy', 1, 12)],
      'onpolicy',
    )!
    expect(data.lines.map(({ name, own }) => [name, own])).toEqual([
      ['Flow map, on-policy (this model)', true],
      ['Consistency', false],
    ])
    expect(data.lines[0]!.points).toEqual([
      { steps: 1, frechet: 12, low: 11, high: 13, accuracy: 0.5 },
      { steps: 16, frechet: 8, low: 7, high: 9, accuracy: 0.5 },
    ])
    expect(data).toMatchObject({ floor: 2, clips: 512 })
  })

  it('tells architectures apart where there are several', () => {
    const data = readAnyStep([row('teacher', 4, 30), row('teacher', 4, 20, 'bidirectional')], 'student')!
    expect(data.lines.map(({ name }) => name)).toEqual(['Teacher, causal', 'Teacher, bidirectional'])
  })

  it('is nothing when the file is another', () => {
    for (const json of [undefined, [], {}, [{ method: 'onpolicy' }], [row('onpolicy', 0, 1)]])
      expect(readAnyStep(json, 'student')).toBeUndefined()
  })
})
