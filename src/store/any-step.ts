/** What was measured of quality against steps: `results/any-step.json`, written by `python -m anyflow compare`. */

import * as v from 'valibot'

import type { Manifest } from '../models/manifest'

/** One number of steps of one method. */
export interface AnyStepPoint {
  readonly steps: number
  /** Fréchet distance to renders that the model never saw, and its 95% interval; lower is better. */
  readonly frechet: number
  readonly low: number
  readonly high: number
  /** Share of what the prompt asks for that a recogniser finds in the clip, 0..1. */
  readonly accuracy: number
}

/** One method of one model and architecture. */
export interface AnyStepLine {
  readonly name: string
  /** The model that is loaded. */
  readonly own: boolean
  /** Of the loaded model's kind: the same name and architecture. All are when the loaded model was not measured. */
  readonly comparable: boolean
  readonly points: readonly AnyStepPoint[]
}

export interface AnyStep {
  readonly lines: readonly AnyStepLine[]
  /** Ids of the models that the lines are of, as listed. */
  readonly models: readonly string[]
  /** Distance of renders from other renders: no model can be expected below it. */
  readonly floor: number
  /** Clips behind each point; lines with another number say so. */
  readonly clips: number
}

/** What tells one set of weights from another in the measurements. */
export interface MeasuredModel {
  readonly model: string
  /** The training stage that made it, which `compare` calls the method. */
  readonly method: string | undefined
  readonly architecture: string
}

const rowSchema = v.object({
  model: v.string(),
  architecture: v.string(),
  method: v.string(),
  /** Which teacher it was distilled from; earlier measurements do not say. */
  teacher: v.nullish(v.string(), null),
  nfe: v.pipe(v.number(), v.integer(), v.minValue(1)),
  clips: v.number(),
  frechet: v.number(),
  frechet_ci: v.tuple([v.number(), v.number()]),
  frechet_floor: v.number(),
  prompt_accuracy: v.number(),
})
type Row = v.InferOutput<typeof rowSchema>

/** How people call the methods; others go by their own name. The lines stand in this order. */
const names: Readonly<Record<string, string>> = {
  onpolicy: 'Flow map, on-policy',
  student: 'Flow map',
  consistency: 'Consistency',
  teacher: 'Teacher',
}

/** A loaded model, as the measurements name it. */
export function measuredModel({ id, provenance, transformer, video }: Manifest): MeasuredModel {
  const latents = 1 + Math.ceil((video.defaultFrames - 1) / video.temporalStride)
  return {
    model: id,
    method: provenance.stage,
    // As `evaluate` tells them apart: one chunk that holds the whole clip looks both ways.
    architecture: transformer.chunkPlan.first >= latents ? 'bidirectional' : 'causal',
  }
}

/**
 * The file's rows as lines to draw; `undefined` when it has none that `compare` writes.
 * @param own the loaded model; no line is its own when it was not measured
 */
export function readAnyStep(json: unknown, own: MeasuredModel | undefined): AnyStep | undefined {
  const rows = readRows(json)
  const [first] = rows
  if (!first) return undefined
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = JSON.stringify([row.model, row.method, row.architecture])
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  const isOwn = (row: Row): boolean =>
    row.model === own?.model && row.method === own.method && row.architecture === own.architecture
  const measured = rows.find(isOwn)
  const reference = measured ?? first
  const lines = [...groups.values()].map((group) => {
    const [row] = group as [Row, ...Row[]]
    // What is not of the loaded model goes by its own model's name.
    const of = measured?.model === row.model ? '' : `${row.model}: `
    const several = rows.some(
      ({ model, architecture }) => model === row.model && architecture !== row.architecture,
    )
    // Not of the same quality to begin with; and the fewer clips, the larger a distance comes out.
    const teacher = measured && row.teacher !== measured.teacher ? ', another teacher' : ''
    const clips = row.clips !== reference.clips ? `, ${row.clips} clips` : ''
    const name = `${of}${names[row.method] ?? row.method}${several ? `, ${row.architecture}` : ''}${teacher}${clips}`
    const line: AnyStepLine = {
      name: isOwn(row) ? `${name} (this model)` : name,
      own: isOwn(row),
      comparable: !measured || (row.model === measured.model && row.architecture === measured.architecture),
      points: pointsOf(group),
    }
    return { line, rank: rankOf(row.method, isOwn(row)) }
  })
  return {
    lines: lines.toSorted((a, b) => a.rank - b.rank).map(({ line }) => line),
    models: [...new Set(rows.map(({ model }) => model))],
    floor: reference.frechet_floor,
    clips: reference.clips,
  }
}

/** The loaded model first, then as in `names`. */
function rankOf(method: string, own: boolean): number {
  const order = Object.keys(names)
  if (own) return -1
  return order.includes(method) ? order.indexOf(method) : order.length
}

/** One row that is not understood does not hide the others. */
function readRows(json: unknown): Row[] {
  const list = Array.isArray(json) ? json : []
  return list.flatMap((item) => {
    const { success, output } = v.safeParse(rowSchema, item)
    return success ? [output] : []
  })
}

/** By steps; of two with the same number the later one counts. */
function pointsOf(rows: readonly Row[]): AnyStepPoint[] {
  const points = rows.map(
    ({ nfe, frechet, frechet_ci: [low, high], prompt_accuracy: accuracy }) =>
      [nfe, { steps: nfe, frechet, low, high, accuracy }] as const,
  )
  return [...new Map(points).values()].toSorted((a, b) => a.steps - b.steps)
}

/**
 * @param base where the app is served from, with a trailing slash
 * @param own the loaded model
 * @returns `undefined` where nothing was measured, or without a network
 */
export async function fetchAnyStep(
  base: string,
  own: MeasuredModel | undefined,
): Promise<AnyStep | undefined> {
  try {
    const response = await fetch(`${base}results/any-step.json`)
    return response.ok ? readAnyStep(await response.json(), own) : undefined
  } catch {
    return undefined
  }
}
