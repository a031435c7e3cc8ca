/** Clips that a take can go on from: frames held in memory, or a video file read frame by frame. */

import type { Rgba } from '../engine/types'
import { centrePart, type Size } from './fit'
import { MediaError, readPixels } from './pixels'

/** A clip at the model's size and rate. */
export interface Clip {
  readonly name: string
  /** Frames at the model's rate, at least 1. */
  readonly frames: number
  /** Frames `first .. first + count - 1`. @throws MediaError */
  read(first: number, count: number): Promise<Rgba[]>
  /** Frees the file. */
  close(): void
}

/** Frames that are in memory already. */
export function heldClip(name: string, frames: readonly Rgba[]): Clip {
  return {
    name,
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
 * @throws MediaError
 */
export async function openClip(file: Blob, name: string, fps: number, frame: Size): Promise<Clip> {
  const url = URL.createObjectURL(file)
  const video = document.createElement('video')
  const close = (): void => {
    video.removeAttribute('src')
    video.load()
    URL.revokeObjectURL(url)
  }
  video.muted = true
  video.preload = 'auto'
  try {
    video.src = url
    await event(video, 'loadeddata', name)
    if (video.videoWidth === 0) throw unreadable(name)
    if (!Number.isFinite(video.duration)) {
      throw new MediaError(`"${name}" does not say how long it is. Save it as an MP4 file first.`)
    }
  } catch (error) {
    close()
    throw error
  }
  const frames = Math.max(1, Math.round(video.duration * fps))
  const part = centrePart({ width: video.videoWidth, height: video.videoHeight }, frame)
  const readOne = async (index: number): Promise<Rgba> => {
    // The middle of the frame's time: its edges may belong to a neighbour.
    await seek(video, Math.min((index + 0.5) / fps, video.duration), name)
    return readPixels(video, part, frame)
  }
  // One element, one place at a time.
  let turn: Promise<unknown> = Promise.resolve()
  return {
    name,
    frames,
    close,
    read: (first, count) => {
      const work = async (): Promise<Rgba[]> => {
        const read: Rgba[] = []
        for (let i = 0; i < count; i++) read.push(await readOne(first + i))
        return read
      }
      const result = turn.then(work, work)
      turn = result.catch(() => undefined)
      return result
    },
  }
}

async function seek(video: HTMLVideoElement, time: number, name: string): Promise<void> {
  if (video.currentTime === time && video.readyState >= video.HAVE_CURRENT_DATA) return
  const seeked = event(video, 'seeked', name)
  video.currentTime = time
  await seeked
}

function event(video: HTMLVideoElement, type: 'loadeddata' | 'seeked', name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = new AbortController()
    const { signal } = over
    const timer = setTimeout(() => {
      over.abort()
      reject(unreadable(name))
    }, SEEK_LIMIT)
    const end = (act: () => void) => (): void => {
      clearTimeout(timer)
      over.abort()
      act()
    }
    video.addEventListener(type, end(resolve), { signal })
    video.addEventListener(
      'error',
      end(() => reject(unreadable(name))),
      { signal },
    )
  })
}

function unreadable(name: string): MediaError {
  return new MediaError(
    `"${name}" is not a video that this browser can play, or it is damaged. Choose an MP4 or WebM file.`,
  )
}
