/** Checking a request before any work is done. */

import { RequestError } from '../errors'
import { MAX_STEPS, MIN_STEPS } from '../flowmap/schedule'
import { MAX_SEED } from '../flowmap/philox'
import type { Manifest } from '../models/manifest'
import type { GenerationRequest } from './types'

/**
 * @param lengths pixel frames the model can make.
 * @throws RequestError
 */
export function checkRequest(request: GenerationRequest, lengths: readonly number[]): void {
  const { prompt, steps, laterSteps = steps, seed, frames } = request
  if (prompt.trim() === '') {
    throw new RequestError(
      'empty-prompt',
      'The prompt is empty. Describe the clip you want, or pick an example.',
    )
  }
  for (const count of [steps, laterSteps]) {
    if (Number.isInteger(count) && count >= MIN_STEPS && count <= MAX_STEPS) continue
    throw new RequestError(
      'bad-request',
      `Steps must be a whole number from ${MIN_STEPS} to ${MAX_STEPS}, not ${count}.`,
    )
  }
  for (const value of [seed, ...(request.chunkSeeds ?? []).map((own) => own.seed)]) {
    if (Number.isSafeInteger(value) && value >= 0) continue
    throw new RequestError(
      'bad-request',
      `The seed must be a whole number from 0 to ${MAX_SEED}, not ${value}.`,
    )
  }
  if (!lengths.includes(frames)) {
    throw new RequestError(
      'bad-request',
      `This model makes clips of ${lengths.join(', ')} frames, not ${frames}. Choose one of these lengths.`,
    )
  }
  if (request.endless && lengths.indexOf(frames) < 2) {
    throw new RequestError(
      'bad-request',
      `Endless video looks back over at least three chunks; ${frames} frames are too few for this model. Choose a longer clip.`,
    )
  }
}

/**
 * Checks the frames that a take begins with.
 * @param lengths pixel frames that whole chunks stand for.
 * @throws RequestError
 */
export function checkGiven(
  { given, frames }: GenerationRequest,
  video: Manifest['video'],
  lengths: readonly number[],
): void {
  if (!given) return
  if (given.length >= frames) {
    throw new RequestError(
      'bad-request',
      `${given.length} frames are given and the clip has ${frames}: nothing is left to make. Choose a longer clip.`,
    )
  }
  if (!lengths.includes(given.length)) {
    throw new RequestError(
      'bad-request',
      `This model can begin with ${lengths.join(', ')} frames, not ${given.length}. Give one of these numbers.`,
    )
  }
  const bytes = video.width * video.height * 4
  const wrong = given.findIndex((rgba) => rgba.byteLength !== bytes)
  if (wrong >= 0) {
    throw new RequestError(
      'bad-request',
      `Given frame ${wrong} has not the model's size, ${video.width} x ${video.height} pixels. Scale it first.`,
    )
  }
}

/** @throws RequestError when the prompt uses more tokens than the model reads. */
export function checkTokens(used: number, limit: number): void {
  if (used <= limit) return
  throw new RequestError(
    'prompt-too-long',
    `The prompt is too long: it uses ${used} tokens of ${limit}. Shorten it by about ${used - limit} words.`,
  )
}
