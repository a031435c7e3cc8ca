/** Clips that a take can go on from: frames held in memory, or a video file read frame by frame. */

import type { GenerationRequest, Rgba } from '../engine/types'
import { AbortedError, throwIfAborted } from '../errors'
import { unlessAborted } from './abort'
import { centrePart, type Size } from './fit'
import { MediaError, readPixels } from './pixels'

/** A clip at the model's size and rate. */
export interface Clip {
  readonly name: string
  /** Frames at the model's rate, at least 1. */
  readonly frames: number
  /** Of the take whose frames these are; absent for a file. */
  readonly request?: GenerationRequest
  /** Frames `first .. first + count - 1`. @throws MediaError, AbortedError */
  read(first: number, count: number, signal?: AbortSignal): Promise<Rgba[]>
  /** Frees the file. */
  close(): void
}

/** A take's frames, which are in memory already. */
export function heldClip(request: GenerationRequest, frames: readonly Rgba[]): Clip {
  return {
    name: `“${request.prompt}”`,
    request,
    frames: frames.length,
    read: (first, count) => Promise.resolve(frames.slice(first, first + count)),
    close: () => undefined,
  }
}

/** Longest wait for the browser to find a place in a file, ms. Damaged files can make it never answer. */
const SEEK_LIMIT = 15_000

/**
 * Opens a video file that this browser plays.
 * @param fps the model's rate; the file is sampled at it, whatever its own.
 * @param frame the model's frame; the middle of the picture is cut to its shape.
 * @throws MediaError, AbortedError
 */
export async function openClip(
  file: Blob,
  name: string,
  fps: number,
  frame: Size,
  signal?: AbortSignal,
): Promise<Clip> {
  const url = URL.createObjectURL(file)
  const video = document.createElement('video')
  const free = (): void => {
    video.removeAttribute('src')
    video.load()
    URL.revokeObjectURL(url)
  }
  video.muted = true
  video.preload = 'auto'
  try {
    video.src = url
    await event(video, 'loadeddata', name, signal)
    if (video.videoWidth === 0) throw unreadable(name)
    if (!Number.isFinite(video.duration)) {
      throw new MediaError(`"${name}" does not say how long it is. Save it as an MP4 file first.`)
    }
  } catch (error) {
    free()
    throw error
  }
  const frames = Math.max(1, Math.round(video.duration * fps))
  const part = centrePart({ width: video.videoWidth, height: video.videoHeight }, frame)
  const readOne = async (index: number, signal: AbortSignal | undefined): Promise<Rgba> => {
    // The middle of the frame's time: its edges may belong to a neighbour.
    await seek(video, Math.min((index + 0.5) / fps, video.duration), name, signal)
    return readPixels(video, part, frame)
  }
  // One element, one place at a time.
  let turn: Promise<unknown> = Promise.resolve()
  return {
    name,
    frames,
    // A take may be reading the clip that another one replaces.
    close: () => void turn.then(free),
    read: (first, count, signal) => {
      const work = async (): Promise<Rgba[]> => {
        const read: Rgba[] = []
        for (let i = 0; i < count; i++) {
          throwIfAborted(signal)
          read.push(await readOne(first + i, signal))
        }
        return read
      }
      const result = turn.then(work)
      turn = result.catch(() => undefined)
      // Not even for those in line before it.
      return unlessAborted(result, signal)
    },
  }
}

async function seek(
  video: HTMLVideoElement,
  time: number,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (video.currentTime === time && !video.seeking && video.readyState >= video.HAVE_CURRENT_DATA) return
  const seeked = event(video, 'seeked', name, signal)
  video.currentTime = time
  await seeked
  // That was the end of an earlier seek, given up before it was answered.
  while (video.seeking) await event(video, 'seeked', name, signal)
}

function event(
  video: HTMLVideoElement,
  type: 'loadeddata' | 'seeked',
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = new AbortController()
    const end = (act: () => void) => (): void => {
      clearTimeout(timer)
      over.abort()
      act()
    }
    const once = { signal: over.signal }
    const fail = end(() => reject(unreadable(name)))
    const stop = end(() => reject(new AbortedError()))
    const timer = setTimeout(fail, SEEK_LIMIT)
    video.addEventListener(type, end(resolve), once)
    video.addEventListener('error', fail, once)
    signal?.addEventListener('abort', stop, once)
    if (signal?.aborted) stop()
  })
}

function unreadable(name: string): MediaError {
  return new MediaError(
    `"${name}" is not a video that this browser can play, or it is damaged. Choose an MP4 or WebM file.`,
  )
}
