/**
 * An even grey baseline JPEG of any size, a few bits a block: with Huffman tables of one code each ("no difference",
 * "end of block"), its whole scan is zero bits.
 */
export function greyJpeg(width: number, height: number): Uint8Array {
  const segment = (marker: number, body: number[]): number[] => {
    const length = body.length + 2
    return [0xff, marker, length >> 8, length & 0xff, ...body]
  }
  // One code of length 1, for symbol 0; the code is the bit 0.
  const table = (kind: number): number[] => [kind, 1, ...new Array<number>(15).fill(0), 0]
  const head = [
    ...[0xff, 0xd8],
    ...segment(0xdb, [0, ...new Array<number>(64).fill(1)]),
    ...segment(0xc0, [8, height >> 8, height & 0xff, width >> 8, width & 0xff, 1, 1, 0x11, 0]),
    ...segment(0xc4, table(0x00)),
    ...segment(0xc4, table(0x10)),
    ...segment(0xda, [1, 1, 0x00, 0, 63, 0]),
  ]
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8)
  const scan = new Uint8Array(Math.ceil((blocks * 2) / 8))
  return Uint8Array.from([...head, ...scan, 0xff, 0xd9])
}
