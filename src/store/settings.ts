import type { ModelStore } from './model'
import { nearestLength, type RequestStore } from './request'
import type { Sources } from './sources'
import type { TakeRunner } from './take-runner'
import { STEPS, type LinkedRequest } from './url'

export interface SettingsTarget {
  readonly request: RequestStore
  readonly model: ModelStore
  readonly runner: Pick<TakeRunner, 'forgetRemake'>
  /** Where the task is set. */
  readonly sources?: Pick<Sources, 'store'>
  /** True for a package that this browser has, by what `?model=` says. */
  isInstalled(path: string): Promise<boolean>
  /** Loads another model. */
  choose(change: { model: string }): Promise<void>
}

/** Settings that were kept with a take or in a file. */
export interface KeptSettings extends LinkedRequest {
  /** The model's own id and name, to compare with the one that is loaded. */
  readonly modelId?: string
  readonly modelName?: string
  readonly endless?: boolean
  /** How many given frames the take began with. */
  readonly givenFrames?: number | undefined
}

/**
 * Says that what a take began with must be given again.
 * @param frames how many were given; more than one were the end of a clip
 * @param lack who lacks them, as in "the file does not hold"
 */
export function givenNotice(frames: number | undefined, lack: string): string[] {
  if (frames === undefined) return []
  const [what, again, tab] =
    frames === 1 ? ['an image', 'image', 'Image'] : [`${frames} frames of a clip`, 'clip', 'Continue']
  return [
    `This take began with ${what}, which the ${lack}. Choose the ${again} again under ${tab} to make the take again.`,
  ]
}

/**
 * Puts kept settings into the request. The seed is locked: it belongs to the take. Another model is loaded when this site
 * or this browser has it; else a notice says which one is missing. Settings of a take without given frames switch to the
 * Text task: an image or a clip at hand would make another take.
 */
export async function applySettings(
  target: SettingsTarget,
  settings: KeptSettings,
  problems: readonly string[] = [],
): Promise<void> {
  const { request, model, runner, sources } = target
  const { loaded, index } = model.getState()
  const notices = [...problems]
  const wanted = settings.model ?? index?.default
  const known =
    wanted !== undefined && (index?.models.includes(wanted) === true || (await target.isInstalled(wanted)))
  const other =
    settings.modelId !== undefined && loaded !== undefined && loaded.manifest.id !== settings.modelId
  const change = other && known ? wanted : undefined
  if (other && change === undefined) {
    notices.push(
      `This take was made with ${settings.modelName ?? settings.modelId}, which is not here; ` +
        `${loaded.manifest.name} is used. Add the model under Models to make the same take again.`,
    )
  }
  if (!settings.givenFrames) sources?.store.setState({ task: 'text', error: undefined })
  request.setState((state) => {
    const steps = settings.steps ?? state.steps
    return {
      prompt: settings.prompt ?? state.prompt,
      steps: Math.min(Math.max(steps, STEPS.min), STEPS.max),
      laterSteps: settings.laterSteps,
      endless: settings.endless === true,
      length: fit(settings.length, change === undefined ? loaded?.lengths : undefined) ?? state.length,
      ...(settings.seed === undefined
        ? {}
        : {
            seedText: String(settings.seed),
            chunkSeeds: settings.chunkSeeds,
            seedLocked: true,
            seedFresh: true,
          }),
      notices,
    }
  })
  // The steps have changed, but nobody moved the slider to see the last take again.
  runner.forgetRemake()
  if (change !== undefined) await target.choose({ model: change })
}

function fit(length: number | undefined, lengths: readonly number[] | undefined): number | undefined {
  return length !== undefined && lengths ? nearestLength(lengths, length) : length
}
