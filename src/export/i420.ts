/** The colours of every exported file: BT.709 with 8-bit studio range, what HD players assume. */
export const EXPORT_COLOR_SPACE = {
  primaries: 'bt709',
  transfer: 'bt709',
  matrix: 'bt709',
  fullRange: false,
} as const satisfies VideoColorSpaceInit

/** Bytes of an I420 frame: full-size luma, then two chroma planes of half size, rounded up. */
export function i420Size(width: number, height: number): number {
  const chroma = Math.ceil(width / 2) * Math.ceil(height / 2)
  return width * height + 2 * chroma
}

/**
 * Converts RGBA to planar Y'CbCr 4:2:0 (ITU-R BT.709-6, section 3: 16..235 luma, 16..240 chroma). Chroma is the mean of
 * each 2x2 block. Doing it here, and tagging the file to match, keeps colours the same whatever conversion a browser's
 * encoder would have chosen.
 * @param rgba `width * height * 4` bytes; alpha is ignored
 */
export function rgbaToI420(
  rgba: Uint8ClampedArray | Uint8Array,
  width: number,
  height: number,
): Uint8Array<ArrayBuffer> {
  const chromaWidth = Math.ceil(width / 2)
  const chromaHeight = Math.ceil(height / 2)
  const out = new Uint8Array(i420Size(width, height))
  for (let i = 0, p = 0; i < width * height; i++, p += 4) {
    out[i] = Math.round(16 + 0.182586 * rgba[p]! + 0.614231 * rgba[p + 1]! + 0.062007 * rgba[p + 2]!)
  }
  let u = width * height
  let v = u + chromaWidth * chromaHeight
  for (let y = 0; y < chromaHeight; y++) {
    // An odd last row or column stands for itself twice.
    const top = 2 * y * width
    const bottom = Math.min(2 * y + 1, height - 1) * width
    for (let x = 0; x < chromaWidth; x++) {
      const left = 2 * x
      const right = Math.min(left + 1, width - 1)
      const a = (top + left) * 4
      const b = (top + right) * 4
      const c = (bottom + left) * 4
      const d = (bottom + right) * 4
      const red = (rgba[a]! + rgba[b]! + rgba[c]! + rgba[d]!) / 4
      const green = (rgba[a + 1]! + rgba[b + 1]! + rgba[c + 1]! + rgba[d + 1]!) / 4
      const blue = (rgba[a + 2]! + rgba[b + 2]! + rgba[c + 2]! + rgba[d + 2]!) / 4
      out[u++] = Math.round(128 - 0.100644 * red - 0.338572 * green + 0.439216 * blue)
      out[v++] = Math.round(128 + 0.439216 * red - 0.398942 * green - 0.040274 * blue)
    }
  }
  return out
}
