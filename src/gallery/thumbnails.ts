/** Small pictures of frames. */

import type { Pixels } from './frame-codec'

interface Size {
  readonly width: number
  readonly height: number
}

/** Width of a poster, pixels. */
const POSTER_WIDTH = 192

/** A frame as a bitmap of at most `width` pixels wide; smaller ones stay as they are. */
export function scaleDown(rgba: Pixels, size: Size, width: number): Promise<ImageBitmap> {
  const image = new ImageData(rgba, size.width, size.height)
  if (width >= size.width) return createImageBitmap(image)
  const resizeHeight = Math.max(1, Math.round((size.height * width) / size.width))
  return createImageBitmap(image, { resizeWidth: width, resizeHeight, resizeQuality: 'high' })
}

/** A frame as a small PNG; undefined where there is no canvas (Node). */
export async function drawPoster(rgba: Pixels, size: Size): Promise<Blob | undefined> {
  if (typeof OffscreenCanvas === 'undefined') return undefined
  const bitmap = await scaleDown(rgba, size, POSTER_WIDTH)
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height)
  canvas.getContext('bitmaprenderer')?.transferFromImageBitmap(bitmap)
  return canvas.convertToBlob({ type: 'image/png' })
}
