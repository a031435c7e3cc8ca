/** Largest seed: every integer up to here is exact in a double, in TypeScript and in Python alike. */
export const MAX_SEED = Number.MAX_SAFE_INTEGER

/** A fresh seed. 32 bits are plenty to never meet the same one twice, and short enough to read out loud. */
export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!
}

/** @returns the seed written in `text`, or `undefined` unless it is a whole number in 0..2^53-1. */
export function parseSeed(text: string): number | undefined {
  const trimmed = text.trim()
  if (!/^\d{1,16}$/.test(trimmed)) return undefined
  const seed = Number(trimmed)
  return seed <= MAX_SEED ? seed : undefined
}
