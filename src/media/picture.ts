/** Pictures that the user gives: any format and size that the browser decodes. */

import { coverSize, cropRect, type Size, usablePart } from './fit'
import { MediaError, readPixels } from './pixels'
import type { Rgba } from '../engine/types'

/** A picture scaled so that it just covers the model's frame. */
export interface Picture {
  readonly name: string
  readonly bitmap: ImageBitmap
  /** The model's frame. */
  readonly frame: Size
}

/** Pixels that a decoded picture may have: 2^28 of them take 1 GiB, and a tab that asks for more may be ended. */
const MOST_PIXELS = 2 ** 28

/**
 * Opens a picture as it is meant to be seen (orientation applied), scaled down while it is decoded.
 * @param frame the model's frame; the result covers it.
 * @throws MediaError
 */
export async function openPicture(file: Blob, name: string, frame: Size): Promise<Picture> {
  const image = await loadImage(file, name)
  // A drawing without a size of its own (SVG) may take any.
  const source = {
    width: image.naturalWidth || frame.width,
    height: image.naturalHeight || frame.height,
  }
  if (source.width * source.height > MOST_PIXELS) {
    throw new MediaError(
      `"${name}" has ${source.width} x ${source.height} pixels, more than a browser tab can decode. Scale it down first.`,
    )
  }
  const part = usablePart(source, frame)
  const cover = coverSize(part, frame)
  const options: ImageBitmapOptions = {
    resizeWidth: cover.width,
    resizeHeight: cover.height,
    resizeQuality: 'high',
    imageOrientation: 'from-image',
  }
  try {
    // From the file rather than the element: decoded off the page's thread. A drawing has no pixels of its own and
    // must come from the element.
    const from = file.type === 'image/svg+xml' ? image : file
    const whole = part.width === source.width && part.height === source.height
    const bitmap = whole
      ? await createImageBitmap(from, options)
      : await createImageBitmap(from, part.x, part.y, part.width, part.height, options)
    return { name, bitmap, frame }
  } catch {
    throw unreadable(name)
  }
}

/** A still of a live video, such as a camera's. @throws MediaError */
export async function takePicture(video: HTMLVideoElement, name: string, frame: Size): Promise<Picture> {
  const source = { width: video.videoWidth, height: video.videoHeight }
  if (source.width === 0) throw new MediaError('The camera has given no picture yet. Try again in a moment.')
  const part = usablePart(source, frame)
  const cover = coverSize(part, frame)
  const bitmap = await createImageBitmap(video, part.x, part.y, part.width, part.height, {
    resizeWidth: cover.width,
    resizeHeight: cover.height,
    resizeQuality: 'high',
  })
  return { name, bitmap, frame }
}

/** The part of a picture that fills the frame. @param position 0..1, see {@link cropRect}. */
export function cropPicture(picture: Picture, position: number): Rgba {
  const { bitmap, frame } = picture
  return readPixels(bitmap, cropRect(bitmap, frame, position), frame)
}

/** Reads the picture's size without decoding its pixels, and tells pictures from other files. */
async function loadImage(file: Blob, name: string): Promise<HTMLImageElement> {
  const url = URL.createObjectURL(file)
  const image = new Image()
  try {
    await new Promise<void>((resolve, reject) => {
      image.onload = () => resolve()
      image.onerror = () => reject(unreadable(name))
      image.src = url
    })
    return image
  } finally {
    URL.revokeObjectURL(url)
  }
}

function unreadable(name: string): MediaError {
  return new MediaError(
    `"${name}" is not an image that this browser can read, or it is damaged. Choose a JPEG, PNG, WebP, AVIF or GIF file.`,
  )
}
