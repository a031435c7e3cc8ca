/** What was measured of quality against steps: `results/any-step.json`, written by `python -m anyflow compare`. */

import * as v from 'valibot'

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

export interface AnyStepLine {
  readonly name: string
  /** The model that is loaded. */
  readonly own: boolean
  readonly points: readonly AnyStepPoint[]
}

export interface AnyStep {
  readonly lines: readonly AnyStepLine[]
  /** Distance of renders from other renders: no model can be expected below it. */
  readonly floor: number
  /** Clips behind each point. */
  readonly clips: number
}

const rowSchema = v.object({
  architecture: v.string(),
  method: v.string(),
  nfe: v.pipe(v.number(), v.integer(), v.minValue(1)),
  clips: v.number(),
  frechet: v.number(),
  frechet_ci: v.tuple([v.number(), v.number()]),
  frechet_floor: v.number(),
  prompt_accuracy: v.number(),
})
const rowsSchema = v.pipe(v.array(rowSchema), v.nonEmpty())
type Row = v.InferOutput<typeof rowSchema>

/** How people call the methods; others go by their own name. */
const names: Readonly<Record<string, string>> = {
  onpolicy: 'Flow map, on-policy',
  student: 'Flow map',
  consistency: 'Consistency',
  teacher: 'Teacher',
}

/**
 * The file's rows as lines to draw; `undefined` when it is not what `compare` writes.
 * @param own the method that made the loaded model
 */
export function readAnyStep(json: unknown, own: string): AnyStep | undefined {
  const { success, output } = v.safeParse(rowsSchema, json)
  if (!success) return undefined
  const several = new Set(output.map(({ architecture }) => architecture)).size > 1
  const groups = new Map<string, Row[]>()
  for (const row of output) {
    const key = `${row.method} ${row.architecture}`
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  const lines = [...groups.values()].map((rows) => line(rows, own, several))
  return {
    lines: lines.toSorted((a, b) => Number(b.own) - Number(a.own)),
    floor: output[0]!.frechet_floor,
    clips: Math.min(...output.map(({ clips }) => clips)),
  }
}

function line(rows: readonly Row[], own: string, several: boolean): AnyStepLine {
  const { method, architecture } = rows[0]!
  const name = `${names[method] ?? method}${method === own ? ' (this model)' : ''}`
  return {
    name: several ? `${name}, ${architecture}` : name,
    own: method === own,
    points: rows
      .map(({ nfe, frechet, frechet_ci: [low, high], prompt_accuracy: accuracy }) => ({
        ...{ steps: nfe, frechet, low, high, accuracy },
      }))
      .toSorted((a, b) => a.steps - b.steps),
  }
}

/**
 * @param base where the app is served from, with a trailing slash
 * @param own the method that made the loaded model
 * @returns `undefined` where nothing was measured, or without a network
 */
export async function fetchAnyStep(base: string, own: string): Promise<AnyStep | undefined> {
  try {
    const response = await fetch(`${base}results/any-step.json`)
    return response.ok ? readAnyStep(await response.json(), own) : undefined
  } catch {
    return undefined
  }
}
