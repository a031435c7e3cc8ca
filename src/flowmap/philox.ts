/**
 * Seeded noise that Python and TypeScript draw alike: the counter-based generator Philox4x32-10 (Salmon et al.,
 * "Parallel random numbers: as easy as 1, 2, 3", SC 2011) and Box-Muller. The contract stands in models/README.md.
 */

const M0 = 0xd2511f53
const M1 = 0xcd9e8d57
const W0 = 0x9e3779b9
const W1 = 0xbb67ae85
const ROUNDS = 10
const TWO_32 = 4294967296

/** Largest seed that a JavaScript number holds exactly. */
export const MAX_SEED = Number.MAX_SAFE_INTEGER

/** High 32 bits of the product of two unsigned 32-bit numbers. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  // Every partial sum stays below 2^53, so doubles are exact here.
  const middle = aHigh * bLow + Math.floor((aLow * bLow) / 0x10000)
  const other = aLow * bHigh + (middle % 0x10000)
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000)) >>> 0
}

/** Four uint32 words. */
export type Words = [number, number, number, number]

/** One block of Philox4x32-10. */
export function philox4x32(counter: Words, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = mulHigh(M0, c0)
    const low0 = Math.imul(M0, c0) >>> 0
    const high1 = mulHigh(M1, c2)
    const low1 = Math.imul(M1, c2) >>> 0
    const next0 = (high1 ^ c1 ^ k0) >>> 0
    const next2 = (high0 ^ c3 ^ k1) >>> 0
    c0 = next0
    c1 = low1
    c2 = next2
    c3 = low0
    k0 = (k0 + W0) >>> 0
    k1 = (k1 + W1) >>> 0
  }
  return [c0, c1, c2, c3]
}

/** A seed as two uint32 words, low first. @throws RangeError outside 0..2^53-1. */
export function seedWords(seed: number): [number, number] {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`seed must be a whole number from 0 to ${MAX_SEED}, not ${seed}`)
  }
  return [seed >>> 0, Math.floor(seed / TWO_32)]
}

/**
 * Standard normals of one latent frame, `size` float32 values in row-major order of `[C, h, w]`. They depend on the
 * seed and the absolute frame number only, so a frame keeps its noise in any chunk plan and any length.
 */
export function frameNoise(seed: number, frame: number, size: number): Float32Array {
  const key = seedWords(seed)
  const noise = new Float32Array(size)
  for (let block = 0; block * 4 < size; block++) {
    const [x0, x1, x2, x3] = philox4x32([block, frame >>> 0, 0, 0], key)
    const normals = [...boxMuller(x0, x1), ...boxMuller(x2, x3)]
    for (let i = 0; i < 4 && block * 4 + i < size; i++) noise[block * 4 + i] = normals[i]!
  }
  return noise
}

/** Two normals from two uint32 words; `u` never is 0, so the logarithm is finite. */
function boxMuller(a: number, b: number): [number, number] {
  const radius = Math.sqrt(-2 * Math.log((a + 1) / TWO_32))
  const angle = 2 * Math.PI * (b / TWO_32)
  return [radius * Math.cos(angle), radius * Math.sin(angle)]
}
