import type { Rgba } from '../engine/types'
import type { Rect, Size } from './fit'

/** What a file that the user gave is not. The message says what to do. */
export class MediaError extends Error {
  override readonly name = 'MediaError'
}

/** Ground under transparent pictures: white, as on paper. */
const GROUND = '#ffffff'

/**
 * Pixels of a part of a picture, scaled to `size`.
 * @throws MediaError when the browser gives no canvas of that size.
 */
export function readPixels(source: CanvasImageSource, part: Rect, size: Size): Rgba {
  const { width, height } = size
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  if (!context) throw new MediaError(`The browser gave no canvas of ${width} x ${height} pixels.`)
  context.fillStyle = GROUND
  context.fillRect(0, 0, width, height)
  context.imageSmoothingQuality = 'high'
  context.drawImage(source, part.x, part.y, part.width, part.height, 0, 0, width, height)
  return context.getImageData(0, 0, width, height).data
}
