import type { TakeHead } from '../gallery/records'
import type { KeptSettings } from './settings'
import { formatLink, parseLink } from './url'

/** Says whose note it is. */
const APP = 'AnyFlow Studio'

/** The text that goes into an exported file: the link that makes the take again, and the model's name. */
export function writeNote(request: TakeHead['request'], model: TakeHead['model']): string {
  const { prompt, seed, chunkSeeds, steps, laterSteps, frames } = request
  const link = formatLink('', {
    ...{ prompt, seed, steps, length: frames },
    ...(laterSteps === undefined ? {} : { laterSteps }),
    ...(chunkSeeds === undefined ? {} : { chunkSeeds }),
    ...(model.path === undefined ? {} : { model: model.path }),
  })
  return JSON.stringify({ app: APP, link, modelId: model.id, modelName: model.name })
}

/**
 * The settings in a note, checked as a link is: a file comes from anywhere.
 * @returns `undefined` when it is no note of this app
 */
export function readNote(text: string): { settings: KeptSettings; problems: readonly string[] } | undefined {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof json !== 'object' || json === null || !('app' in json) || json.app !== APP) return undefined
  const field = (name: string): string | undefined => {
    const value = (json as Record<string, unknown>)[name]
    return typeof value === 'string' ? value : undefined
  }
  const { request, problems } = parseLink(field('link') ?? '')
  const modelId = field('modelId')
  const modelName = field('modelName')
  return {
    settings: {
      ...request,
      ...(modelId === undefined ? {} : { modelId }),
      ...(modelName === undefined ? {} : { modelName }),
    },
    problems,
  }
}
