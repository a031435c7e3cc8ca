import type { Clip, TakeHead, TakeRecord } from '../gallery/records'
import type { Generator } from '../worker/generator'
import type { ModelStore } from './model'
import type { RequestStore } from './request'
import { applySettings, givenNotice, type SettingsTarget } from './settings'
import type { ShownTake, TakeStore } from './take'
import type { TakeRunner } from './take-runner'

/** The parts of the studio that a kept take is opened with. */
interface Parts {
  readonly generator: Generator
  readonly request: RequestStore
  readonly model: ModelStore
  readonly take: TakeStore
  readonly runner: TakeRunner
}

/** The loaded model, as a take's record names it. */
export function recordedModel({ model, request }: Pick<Parts, 'model' | 'request'>): TakeHead['model'] {
  const manifest = model.getState().loaded?.manifest
  const path = request.getState().model
  return { id: manifest?.id ?? '', name: manifest?.name ?? '', ...(path === undefined ? {} : { path }) }
}

/**
 * Plays a kept take in the preview. What runs is stopped: its frames would take the place of the kept ones. What begins
 * while the kept frames are read goes on, for it was asked for later.
 * @param isWanted false once another kept take was asked for
 * @returns false when the take was not opened
 */
export async function openTake(
  parts: Parts,
  record: TakeRecord,
  read: () => Promise<Clip>,
  isWanted: () => boolean,
): Promise<boolean> {
  const { request, width, height, fps, state, timings } = record
  const { runner } = parts
  // A re-make that waits was asked for earlier.
  runner.forgetRemake()
  const { begun } = runner
  const isLast = (): boolean => runner.begun === begun && isWanted()
  const clip = await read()
  if (!isLast()) return false
  await runner.stop()
  if (!isLast()) return false
  const frames = clip.frames.length
  const preview = await parts.generator.present(clip)
  // Moving Steps makes the last take again, which only its own model can.
  const sameModel = parts.model.getState().loaded?.manifest.id === record.model.id
  // Without the frames it was given, it would silently become another take.
  const { givenFrames, endless, prompts } = request
  const canRemake = sameModel && givenFrames === undefined && !endless
  const shown: ShownTake = {
    request,
    ...{ width, height, fps, frames, complete: endless === true || frames >= request.frames },
    ...{ dropped: record.first, prompts },
    playOnly: !canRemake,
    ...(givenFrames === undefined || record.first ? {} : { lostGiven: givenFrames }),
  }
  // The stage shows it; a take that has begun meanwhile goes on, and takes its place.
  if (runner.begun !== begun) parts.take.setState({ shown, preview })
  else {
    parts.take.setState({
      phase: 'done',
      request: canRemake ? request : undefined,
      video: undefined,
      progress: undefined,
      frames,
      timings,
      failure: undefined,
      stopped: state !== 'done',
      redoing: false,
      shown,
      preview,
    })
  }
  return true
}

/**
 * Puts a kept take's settings into the request. Given frames (an image, a clip) are not among them: the gallery has them
 * only as the autoencoder gave them back, so the text settings are restored, the task stays as it is, and a notice says
 * what is missing.
 */
export function restoreSettings(
  target: SettingsTarget,
  { request, model }: Pick<TakeHead, 'request' | 'model'>,
): Promise<void> {
  const { prompt, steps, laterSteps, seed, chunkSeeds, frames, endless, givenFrames } = request
  const settings = {
    ...{ prompt, steps, seed, length: frames, modelId: model.id, modelName: model.name },
    endless: endless === true,
    givenFrames,
    ...(laterSteps === undefined ? {} : { laterSteps }),
    ...(chunkSeeds === undefined ? {} : { chunkSeeds }),
    ...(model.path === undefined ? {} : { model: model.path }),
  }
  return applySettings(target, settings, givenNotice(givenFrames, 'gallery does not keep'))
}
