import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { parseManifest } from '../../../src/models/manifest'
import { measuredModel, type MeasuredModel, readAnyStep } from '../../../src/store/any-step'

const row = (
  method: string,
  nfe: number,
  frechet: number,
  architecture = 'causal',
  model = 'worlds-128',
) => ({
  ...{ model, architecture, method, nfe, clips: 512, seed: 0 },
  ...{ frechet, frechet_ci: [frechet - 1, frechet + 1], frechet_floor: 2, prompt_accuracy: 0.5, drift: null },
})
const bundled = (method: string | undefined): MeasuredModel => ({
  ...{ model: 'worlds-128', method, architecture: 'causal' },
})
const namesOf = (rows: unknown[], own: MeasuredModel | undefined) =>
  readAnyStep(rows, own)!.lines.map(({ name, own: isOwn }) => [name, isOwn])

describe('measured quality against steps', () => {
  it('is a line a method, its own first, each by steps', () => {
    const data = readAnyStep(
      [row('consistency', 4, 30), row('onpolicy', 16, 8), row('onpolicy', 1, 12)],
      bundled('onpolicy'),
    )!
    expect(data.lines.map(({ name, own }) => [name, own])).toEqual([
      ['Flow map, on-policy (this model)', true],
      ['Consistency', false],
    ])
    expect(data.lines[0]!.points).toEqual([
      { steps: 1, frechet: 12, low: 11, high: 13, accuracy: 0.5 },
      { steps: 16, frechet: 8, low: 7, high: 9, accuracy: 0.5 },
    ])
    expect(data).toMatchObject({ floor: 2, clips: 512, models: ['worlds-128'] })
  })

  it('says which lines are of another teacher than the loaded model', () => {
    const rows = [
      { ...row('student', 4, 8), teacher: 'new' },
      { ...row('teacher', 16, 5), teacher: 'new' },
      row('consistency', 4, 30),
      { ...row('student', 4, 9, 'bidirectional', 'other'), teacher: 'old' },
    ]
    expect(namesOf(rows, bundled('student')).map(([name]) => name)).toEqual([
      'Flow map (this model)',
      'other: Flow map, another teacher',
      'Consistency, another teacher',
      'Teacher',
    ])
    expect(namesOf(rows, undefined).map(([name]) => name)).not.toContainEqual(
      expect.stringContaining('another'),
    )
  })

  it('says which lines have another number of clips behind them', () => {
    const rows = [row('student', 4, 8), { ...row('consistency', 4, 30), clips: 128 }]
    expect(namesOf(rows, bundled('student')).map(([name]) => name)).toEqual([
      'Flow map (this model)',
      'Consistency, 128 clips',
    ])
    expect(readAnyStep(rows, bundled('student'))!.clips).toBe(512)
  })

  it('calls no line the loaded model that another model, stage or architecture made', () => {
    const rows = [row('student', 4, 8), row('student', 4, 9, 'bidirectional')]
    const others: (MeasuredModel | undefined)[] = [
      { model: 'tiny-fixture', method: 'student', architecture: 'causal' },
      { model: 'tiny-fixture', method: undefined, architecture: 'causal' },
      bundled(undefined),
      bundled('onpolicy'),
      undefined,
    ]
    for (const own of others) {
      expect(namesOf(rows, own)).toEqual([
        ['worlds-128: Flow map, causal', false],
        ['worlds-128: Flow map, bidirectional', false],
      ])
    }
    expect(namesOf(rows, { ...bundled('student'), architecture: 'bidirectional' })).toEqual([
      ['Flow map, bidirectional (this model)', true],
      ['Flow map, causal', false],
    ])
  })

  it('is a line each of many methods, architectures and models', () => {
    const methods = ['teacher', 'new-method', 'consistency', 'onpolicy', 'student']
    const rows = methods.flatMap((method) => [
      ...[1, 4].map((nfe) => row(method, nfe, 20)),
      ...[1, 4].map((nfe) => row(method, nfe, 20, 'bidirectional', 'worlds-128-bidirectional')),
    ])
    expect(namesOf(rows, bundled('student')).map(([name]) => name)).toEqual([
      'Flow map (this model)',
      'Flow map, on-policy',
      'worlds-128-bidirectional: Flow map, on-policy',
      'worlds-128-bidirectional: Flow map',
      'Consistency',
      'worlds-128-bidirectional: Consistency',
      'Teacher',
      'worlds-128-bidirectional: Teacher',
      'new-method',
      'worlds-128-bidirectional: new-method',
    ])
  })

  it('compares the loaded model with what is of its kind, and all with all when it was not measured', () => {
    const rows = [
      row('student', 4, 8),
      row('consistency', 4, 30),
      row('student', 4, 9, 'bidirectional'),
      row('student', 4, 9, 'causal', 'other'),
    ]
    const compared = (own: MeasuredModel | undefined) =>
      readAnyStep(rows, own)!
        .lines.filter(({ comparable }) => comparable)
        .map(({ name }) => name)
    expect(compared(bundled('student'))).toEqual(['Flow map, causal (this model)', 'Consistency, causal'])
    expect(compared(undefined)).toHaveLength(4)
  })

  it('copes with drift, rows it does not know and a number measured twice', () => {
    const drift = { nfe: 4, windows: [{ chunk: 4, frechet: 9 }] }
    const rows = [
      { ...row('student', 4, 8), drift },
      { method: 'student', drift },
      null,
      row('student', 4, 7),
    ]
    const data = readAnyStep(rows, bundled('student'))!
    expect(data.lines).toHaveLength(1)
    expect(data.lines[0]!.points.map(({ frechet }) => frechet)).toEqual([7])
  })

  it('is nothing when the file is another', () => {
    for (const json of [undefined, [], {}, [{ method: 'onpolicy' }], [row('onpolicy', 0, 1)]])
      expect(readAnyStep(json, bundled('student'))).toBeUndefined()
  })

  it('knows a loaded model by its manifest', () => {
    const path = new URL('../../fixtures/tiny/manifest.json', import.meta.url)
    const manifest = parseManifest(JSON.parse(readFileSync(path, 'utf8')))
    expect(measuredModel(manifest)).toEqual({
      ...{ model: 'tiny-fixture', method: undefined, architecture: 'causal' },
    })
    const whole = {
      ...manifest,
      provenance: { ...manifest.provenance, stage: 'student' },
      transformer: { ...manifest.transformer, chunkPlan: { first: 5, rest: 5 } },
    }
    expect(measuredModel(whole)).toMatchObject({ method: 'student', architecture: 'bidirectional' })
  })
})
