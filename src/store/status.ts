import type { ModelState } from './model'
import type { TakeState } from './take'

/** The one line of the status region. Its wording is a contract (DESIGN.md section 4): tests read it. */
export function statusText(model: ModelState, take: TakeState): string {
  if (model.phase === 'loading') return 'Loading model ...'
  if (model.phase === 'error') return model.error ?? 'The model could not be loaded.'
  if (take.phase === 'error') return take.failure?.message ?? 'The take failed.'
  if (take.phase !== 'running') return 'Ready'
  const { progress, video, request } = take
  if (!video || !request) return 'Starting ...'
  // A take without an end has no number of chunks.
  const chunks = video.chunks > 0 ? ` of ${video.chunks}` : ''
  if (!progress || progress.phase === 'text') return `Chunk 1${chunks}, step 1 of ${request.steps}`
  if (progress.steps === 0) return `Chunk ${progress.chunk}${chunks}, given`
  // The cache write and the decoding come after a chunk's last step.
  const step = progress.phase === 'denoise' ? progress.step : progress.steps
  return `Chunk ${progress.chunk}${chunks}, step ${step} of ${progress.steps}`
}

/** 0..1, or `undefined` when nothing is under way or the share is not known. */
export function progressFraction(model: ModelState, take: TakeState): number | undefined {
  if (model.phase === 'loading') {
    const { progress } = model
    return progress && progress.totalBytes > 0 ? progress.loadedBytes / progress.totalBytes : undefined
  }
  if (model.phase !== 'ready' || take.phase !== 'running' || take.request?.endless) return undefined
  return take.progress?.fraction ?? 0
}
