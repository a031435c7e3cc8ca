/**
 * Makes screenshots small: without the lowest bit of each channel, which nobody sees and which hardly packs, and packed as
 * well as it goes. A palette would be smaller, and show steps in every gradient.
 */

import { crc32, deflateSync, inflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
/** Red, green and blue. */
const STEP = 3

/** @typedef {{ width: number, height: number, rgb: Uint8Array }} Image */

/**
 * @param {Buffer} png 8 bits a channel, RGB or RGBA, not interlaced: what browsers write
 * @returns {Buffer}
 */
export function smaller(png) {
  const { width, height, rgb } = decode(png)
  // Black and white stay what they are.
  const coarse = rgb.map((value) => (value === 255 ? 255 : value & 0xfe))
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 2, 0, 0, 0], 8)
  const data = deflateSync(filter(coarse, width * STEP, height), { level: 9, memLevel: 9 })
  return Buffer.concat([SIGNATURE, chunk('IHDR', head), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))])
}

/**
 * Stores each row as differences from a guess, by the filter that leaves the smallest differences (the usual heuristic).
 * @param {Uint8Array} pixels
 * @param {number} stride bytes of a row
 * @param {number} height
 */
function filter(pixels, stride, height) {
  const rows = Buffer.alloc(height * (stride + 1))
  const tried = [0, 1, 2, 3, 4].map(() => new Uint8Array(stride))
  for (let y = 0; y < height; y++) {
    let best = 0
    let least = Infinity
    tried.forEach((row, kind) => {
      let sum = 0
      for (let x = 0; x < stride; x++) {
        const difference = ((pixels[y * stride + x] ?? 0) - guess(kind, pixels, y, x, stride, STEP)) & 0xff
        row[x] = difference
        sum += Math.min(difference, 256 - difference)
      }
      if (sum < least) [best, least] = [kind, sum]
    })
    rows[y * (stride + 1)] = best
    rows.set(tried[best] ?? [], y * (stride + 1) + 1)
  }
  return rows
}

/**
 * What a filter of PNG expects a byte to be (specification, section 9).
 * @param {number} kind
 * @param {Uint8Array} pixels
 * @param {number} y
 * @param {number} x byte in the row
 * @param {number} stride bytes of a row
 * @param {number} step bytes of a pixel
 */
function guess(kind, pixels, y, x, stride, step) {
  if (kind === 0) return 0
  const at = y * stride + x
  const left = x >= step ? (pixels[at - step] ?? 0) : 0
  const up = y > 0 ? (pixels[at - stride] ?? 0) : 0
  if (kind === 1) return left
  if (kind === 2) return up
  if (kind === 3) return (left + up) >> 1
  const corner = x >= step && y > 0 ? (pixels[at - stride - step] ?? 0) : 0
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)]
  if (a <= b && a <= c) return left
  return b <= c ? up : corner
}

/** @param {string} type @param {Buffer} data */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const ends = Buffer.alloc(8)
  ends.writeUInt32BE(data.length, 0)
  ends.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)])
}

/** @param {Buffer} png @returns {Image} */
function decode(png) {
  const parts = []
  let [width, height, channels] = [0, 0, 4]
  for (let at = SIGNATURE.length; at < png.length;) {
    const length = png.readUInt32BE(at)
    const type = png.toString('latin1', at + 4, at + 8)
    const data = png.subarray(at + 8, at + 8 + length)
    if (type === 'IHDR') {
      width = data.readUInt32BE(0)
      height = data.readUInt32BE(4)
      if (data[8] !== 8 || (data[9] !== 2 && data[9] !== 6) || data[12] !== 0)
        throw new Error('a PNG of a kind that browsers do not write')
      channels = data[9] === 2 ? 3 : 4
    } else if (type === 'IDAT') parts.push(data)
    at += length + 12
  }
  const pixels = unfilter(inflateSync(Buffer.concat(parts)), width * channels, height, channels)
  const rgb = new Uint8Array(width * height * STEP)
  for (let i = 0; i < width * height; i++)
    rgb.set(pixels.subarray(i * channels, i * channels + STEP), i * STEP)
  return { width, height, rgb }
}

/**
 * @param {Uint8Array} raw rows with their filter before them
 * @param {number} stride bytes of a row
 * @param {number} height
 * @param {number} step bytes of a pixel
 */
function unfilter(raw, stride, height, step) {
  const out = new Uint8Array(stride * height)
  for (let y = 0; y < height; y++) {
    const kind = raw[y * (stride + 1)] ?? 0
    for (let x = 0; x < stride; x++)
      out[y * stride + x] = (raw[y * (stride + 1) + 1 + x] ?? 0) + guess(kind, out, y, x, stride, step)
  }
  return out
}
