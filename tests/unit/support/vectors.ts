import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Reads vectors that Python made (tests/vectors/make.py). The caller states their shape. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function readVectors<T>(name: string): T {
  return JSON.parse(readFileSync(pathOf(`../../vectors/${name}.json`), 'utf8')) as T
}

/** A path relative to this folder. */
export function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url))
}
