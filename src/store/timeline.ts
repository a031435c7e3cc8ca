import { planChunks } from '../flowmap/chunks'
import type { Manifest } from '../models/manifest'
import type { TakeState } from './take'

/** Pixel frames `first .. first + count - 1`, made together. */
export interface ChunkSpan {
  readonly first: number
  readonly count: number
}

/** How a clip divides into chunks; one span when the model's plan does not make that many frames. */
export function chunkSpans(
  frames: number,
  model: Pick<Manifest, 'transformer' | 'video'> | undefined,
): ChunkSpan[] {
  if (frames < 1) return []
  const stride = model?.video.temporalStride ?? 0
  if (!model || (frames - 1) % stride !== 0) return [{ first: 0, count: frames }]
  return planChunks(1 + (frames - 1) / stride, model.transformer.chunkPlan).map(({ first, count }) => {
    // The first latent frame is one pixel frame, each later one `stride`.
    const start = first === 0 ? 0 : 1 + (first - 1) * stride
    return { first: start, count: 1 + (first + count - 1) * stride - start }
  })
}

/** The next number of frames that whole latent frames make. */
export function endOfPlan(frames: number, { video }: Pick<Manifest, 'video'>): number {
  return 1 + Math.ceil((frames - 1) / video.temporalStride) * video.temporalStride
}

/** The chunks that `total` frames of a take came in, of which the first `dropped` are not held any more. */
export function heldSpans(
  total: number,
  dropped: number,
  model: Pick<Manifest, 'transformer' | 'video'> | undefined,
): ChunkSpan[] {
  if (dropped === 0 || !model || total < 1) return chunkSpans(total, model)
  return chunkSpans(endOfPlan(dropped + total, model), model).flatMap(({ first, count }) => {
    const start = Math.max(0, first - dropped)
    const end = Math.min(total, first + count - dropped)
    return end > start ? [{ first: start, count: end - start }] : []
  })
}

/** Frames the timeline is long: those asked for while they may still come, else those there are. */
export function timelineLength({
  shown,
  phase,
  request,
}: Pick<TakeState, 'shown' | 'phase' | 'request'>): number {
  // Before the first frame of the first take, the places of its chunks.
  if (!shown) return phase === 'running' && request && !request.endless ? request.frames : 0
  // Without an end, it is as long as what is held.
  if (shown.request.endless) return shown.frames
  const asked = Number.isFinite(shown.request.frames) ? shown.request.frames : 0
  return phase === 'running'
    ? Math.max(asked, shown.frames)
    : shown.complete
      ? shown.frames
      : Math.max(asked, shown.frames)
}

/** Height of the strip, CSS pixels (`.filmstrip-track`). */
const STRIP_HEIGHT = 48
/** How much wider than its shape a picture's place on the strip may be: what is cut off then is above and below. */
const SPARE = 1.35

/**
 * How many pictures fill a strip so that each shows most of a frame.
 * @param width of the strip, CSS pixels
 * @param aspect width of a frame by its height
 * @param frames of the clip: no frame is shown twice
 */
export function stripPictures(width: number, aspect: number, frames: number): number {
  const fitting = Math.round(width / (STRIP_HEIGHT * aspect * SPARE))
  return Math.max(1, Math.min(fitting, frames))
}

/** Share of a chunk that is done, 0..1: decoded, or by the step of the one being made. */
export function chunkProgress(span: ChunkSpan, index: number, state: TakeState): number {
  const decoded = state.shown?.frames ?? 0
  if (span.first + span.count <= decoded) return 1
  const { progress, phase } = state
  // While the first chunk of a new take is made, the old take is still shown.
  const isOld = state.shown !== undefined && state.frames === 0
  if (phase !== 'running' || isOld || progress?.chunk !== index + 1) return 0
  if (progress.phase === 'denoise') return (progress.step - 1) / progress.steps
  return progress.phase === 'text' ? 0 : 1
}

/** Part of the strip, from its left and from its right edge, CSS lengths. */
export interface StripPart {
  readonly left: string
  readonly right: string
}

/** Width that the coming chunk of a take without an end has at the strip's right edge. */
const COMING_WIDTH = '64px'

/** Where on the strip the chunk is that is being denoised; `undefined` while the strip shows another take. */
export function chunkUnderWay(
  { phase, progress, shown, frames, request }: TakeState,
  model: Pick<Manifest, 'transformer' | 'video'> | undefined,
): StripPart | undefined {
  if (phase !== 'running' || !progress || (shown && frames === 0)) return undefined
  if (shown?.request.endless) return { left: `calc(100% - ${COMING_WIDTH})`, right: '0px' }
  const total = timelineLength({ shown, phase, request })
  const span = chunkSpans(total, model)[progress.chunk - 1]
  const decoded = shown?.frames ?? 0
  if (!span || span.first + span.count <= decoded) return undefined
  // Frames that are decoded have pictures of their own.
  const first = Math.max(span.first, decoded)
  const percent = (part: number): string => `${((100 * part) / total).toFixed(3)}%`
  return { left: percent(first), right: percent(total - span.first - span.count) }
}
