import type { Manifest } from '../models/manifest'
import type { TakeState } from './take'

type Plan = Pick<Manifest, 'transformer' | 'video'>

/**
 * The chunk, counted from 1, that can be made again with another seed: the last whole one of what is shown. Not the first of
 * a take, which is what another seed for the take is for, nor a given one.
 */
export function redoableChunk(
  { phase, request, shown, redoing }: TakeState,
  model: Plan | undefined,
): number | undefined {
  if (!shown || !model || redoing || shown.playOnly) return undefined
  const endless = shown.request.endless === true
  // Only a take without an end can change while it runs, and only then: afterwards its window is gone.
  if (endless !== (phase === 'running') || (endless && request !== shown.request)) return undefined
  const made = (shown.dropped ?? 0) + shown.frames
  const { chunkPlan } = model.transformer
  const stride = model.video.temporalStride
  const latents = 1 + (made - 1) / stride
  const chunk = 1 + Math.floor((latents - chunkPlan.first) / chunkPlan.rest)
  const given = shown.request.given?.length ?? 0
  const first = 1 + (chunkPlan.first + (chunk - 2) * chunkPlan.rest - 1) * stride
  return chunk >= 2 && first >= given ? chunk : undefined
}
