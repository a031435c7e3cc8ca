/** How a picture of any shape fills a frame: scaled until it covers it, the rest cut off. Pure. */

/** A rectangle or a size in pixels. */
export interface Size {
  readonly width: number
  readonly height: number
}

export interface Rect extends Size {
  readonly x: number
  readonly y: number
}

/**
 * Longest side over the frame's that is kept for the crop to move along. What lies beyond is cut off before scaling:
 * a picture 10,000 pixels wide and 1 high would cover a frame at a million by a hundred.
 */
const MOST_STRETCH = 8

/** The middle of a source of which no side is more than `MOST_STRETCH` times what the frame's shape needs. */
export function usablePart(source: Size, frame: Size): Rect {
  const shape = frame.width / frame.height
  const width = Math.min(source.width, Math.ceil(source.height * shape * MOST_STRETCH))
  const height = Math.min(source.height, Math.ceil((source.width / shape) * MOST_STRETCH))
  return {
    x: Math.floor((source.width - width) / 2),
    y: Math.floor((source.height - height) / 2),
    width,
    height,
  }
}

/** The size at which a source just covers the frame: one side equal, the other equal or larger. */
export function coverSize(source: Size, frame: Size): Size {
  const scale = Math.max(frame.width / source.width, frame.height / source.height)
  return {
    width: Math.max(frame.width, Math.round(source.width * scale)),
    height: Math.max(frame.height, Math.round(source.height * scale)),
  }
}

/**
 * Where the frame lies on a picture that covers it.
 * @param position 0 (left or top) to 1 (right or bottom) along the side that is longer than the frame's.
 */
export function cropRect(cover: Size, frame: Size, position: number): Rect {
  return {
    x: Math.round((cover.width - frame.width) * position),
    y: Math.round((cover.height - frame.height) * position),
    width: frame.width,
    height: frame.height,
  }
}

/** The side along which a crop can be moved; `undefined` where the shapes agree. */
export function slackAxis(cover: Size, frame: Size): 'x' | 'y' | undefined {
  if (cover.width > frame.width) return 'x'
  return cover.height > frame.height ? 'y' : undefined
}

/** The largest centred part of a source that has the frame's shape. */
export function centrePart(source: Size, frame: Size): Rect {
  const scale = Math.min(source.width / frame.width, source.height / frame.height)
  const width = frame.width * scale
  const height = frame.height * scale
  return { x: (source.width - width) / 2, y: (source.height - height) / 2, width, height }
}
