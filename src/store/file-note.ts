import type { ChunkPrompt, GenerationRequest } from '../engine/types'
import type { TakeHead, TakeSettings } from '../gallery/records'
import { givenNotice, type KeptSettings } from './settings'
import { formatLink, parseLink } from './url'

/** Says whose note it is. */
const APP = 'AnyFlow Studio'

/** Changes of the prompt that are named in a notice; a file may hold any number. */
const MOST_CHANGES = 5

/** What a take was made of: a kept one has the number of its given frames, one just made the frames. */
type MadeOf = TakeSettings & Pick<GenerationRequest, 'given'>

/**
 * The text that goes into an exported file: the link that makes the take again, the model's name, and what of a take no
 * link can say.
 */
export function writeNote(request: MadeOf, model: TakeHead['model']): string {
  const { prompt, seed, chunkSeeds, steps, laterSteps, frames, endless, prompts, given } = request
  const givenFrames = given?.length ?? request.givenFrames
  const link = formatLink('', {
    ...{ prompt, seed, steps, length: frames },
    ...(laterSteps === undefined ? {} : { laterSteps }),
    ...(chunkSeeds === undefined ? {} : { chunkSeeds }),
    ...(model.path === undefined ? {} : { model: model.path }),
  })
  return JSON.stringify({
    ...{ app: APP, link, modelId: model.id, modelName: model.name },
    ...(endless === true ? { endless } : {}),
    ...(prompts?.length ? { prompts } : {}),
    ...(givenFrames === undefined ? {} : { givenFrames }),
  })
}

/**
 * The settings in a note, checked as a link is: a file comes from anywhere.
 * @returns `undefined` when it is no note of this app; `notices` say what is left to do to make the take again
 */
export function readNote(text: string): { settings: KeptSettings; notices: readonly string[] } | undefined {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof json !== 'object' || json === null || !('app' in json) || json.app !== APP) return undefined
  const note = json as Record<string, unknown>
  const field = (name: string): string | undefined => {
    const value = note[name]
    return typeof value === 'string' ? value : undefined
  }
  const { request, problems } = parseLink(field('link') ?? '')
  const count = note['givenFrames']
  const given = typeof count === 'number' && Number.isInteger(count) && count >= 1 ? count : undefined
  const modelId = field('modelId')
  const modelName = field('modelName')
  return {
    settings: {
      ...request,
      ...(modelId === undefined ? {} : { modelId }),
      ...(modelName === undefined ? {} : { modelName }),
      ...(note['endless'] === true ? { endless: true } : {}),
      ...(given === undefined ? {} : { givenFrames: given }),
    },
    notices: [...problems, ...givenNotice(given, 'file does not hold'), ...promptsNotice(note['prompts'])],
  }
}

/** The request has the first prompt; those that came later cannot be set before their time. */
function promptsNotice(prompts: unknown): string[] {
  const changes = Array.isArray(prompts) ? prompts.filter(isChunkPrompt) : []
  if (changes.length === 0) return []
  const named = changes.slice(0, MOST_CHANGES).map(({ chunk, prompt }) => `from chunk ${chunk} “${prompt}”`)
  const more = changes.length > MOST_CHANGES ? `, and ${changes.length - MOST_CHANGES} more` : ''
  return [
    `The prompt was changed while this take was made: ${named.join(', ')}${more}. Change it at the same chunks to make the ` +
      'take again.',
  ]
}

function isChunkPrompt(value: unknown): value is ChunkPrompt {
  if (typeof value !== 'object' || value === null) return false
  const { chunk, prompt } = value as Record<string, unknown>
  return typeof prompt === 'string' && typeof chunk === 'number' && Number.isInteger(chunk) && chunk >= 1
}
