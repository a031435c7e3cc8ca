/** EXIF's "turn a quarter clockwise to stand upright", as phones write it. */
const TURN_CLOCKWISE = 6

/** A JPEG with an EXIF segment that says how the camera was held. */
export function heldSideways(jpeg: readonly number[]): number[] {
  const tiff = [
    ...[0x4d, 0x4d, 0, 42, 0, 0, 0, 8], // big-endian, the first directory at 8
    ...[0, 1], // one entry
    ...[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, TURN_CLOCKWISE, 0, 0], // Orientation, a SHORT
    ...[0, 0, 0, 0],
  ]
  const body = [...new TextEncoder().encode('Exif\0\0'), ...tiff]
  const [start1 = 0, start2 = 0, ...rest] = jpeg
  const length = body.length + 2
  return [start1, start2, 0xff, 0xe1, length >> 8, length & 255, ...body, ...rest]
}
