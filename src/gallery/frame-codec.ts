/**
 * Decoded frames, packed without loss: colour planes, differences, DEFLATE.
 *
 * Lossless, rather than a WebCodecs clip: a take that comes back from the gallery is the take that was made, byte for byte
 * (its digest, its export and a comparison with another take stay true), and it works in browsers without an encoder and
 * for odd sizes. Frames rather than latents: a take opens without its model, and latents would tie it to one decoder.
 */

/** Frames of one size, RGBA, row-major. */
export type Pixels = Uint8ClampedArray<ArrayBuffer>

/** Bytes of a frame before compression: red, green and blue planes. Decoded frames are opaque, so alpha is not kept. */
export function planarSize(width: number, height: number): number {
  return 3 * width * height
}

/**
 * Packs frames that belong together. The first is stored by differences to the left neighbour, each later one by
 * differences to the frame before it: what stands still packs to almost nothing.
 * @param frames at least one, each `width * height * 4` bytes
 */
export async function packFrames(
  frames: readonly Pixels[],
  width: number,
  height: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const size = planarSize(width, height)
  const planes = new Uint8Array(size * frames.length)
  frames.forEach((rgba, i) => {
    const row = planes.subarray(i * size, (i + 1) * size)
    const area = width * height
    for (let p = 0; p < area; p++) {
      row[p] = rgba[4 * p]!
      row[area + p] = rgba[4 * p + 1]!
      row[2 * area + p] = rgba[4 * p + 2]!
    }
  })
  // Backwards, so that every difference is taken to a value that is still the original.
  for (let i = planes.length - 1; i >= size; i--) planes[i]! -= planes[i - size]!
  for (let i = size - 1; i >= 1; i--) planes[i]! -= planes[i - 1]!
  return throughStream(planes, new CompressionStream('deflate-raw'))
}

/**
 * The inverse of {@link packFrames}.
 * @throws RangeError when the data does not hold `count` frames of the size
 */
export async function unpackFrames(
  packed: Uint8Array<ArrayBuffer>,
  count: number,
  width: number,
  height: number,
): Promise<Pixels[]> {
  const size = planarSize(width, height)
  const planes = await throughStream(packed, new DecompressionStream('deflate-raw'), size * count)
  if (planes.length !== size * count) {
    throw new RangeError(`${planes.length} bytes are not ${count} frames of ${width} x ${height}`)
  }
  for (let i = 1; i < size; i++) planes[i]! += planes[i - 1]!
  for (let i = size; i < planes.length; i++) planes[i]! += planes[i - size]!
  const area = width * height
  return Array.from({ length: count }, (_, i) => {
    const row = planes.subarray(i * size, (i + 1) * size)
    const rgba = new Uint8ClampedArray(4 * area)
    for (let p = 0; p < area; p++) {
      rgba[4 * p] = row[p]!
      rgba[4 * p + 1] = row[area + p]!
      rgba[4 * p + 2] = row[2 * area + p]!
      rgba[4 * p + 3] = 255
    }
    return rgba
  })
}

/** @param limit bytes after which reading stops: a damaged or hostile file must not fill the memory. */
async function throughStream(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
  limit = Infinity,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader()
  const parts: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.length
    if (length > limit) {
      await reader.cancel()
      throw new RangeError(`more than ${limit} bytes`)
    }
    parts.push(value)
  }
  const all = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    all.set(part, offset)
    offset += part.length
  }
  return all
}
