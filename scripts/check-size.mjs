/**
 * Checks that what the built page needs to start is small: its scripts and all that they import, the workers that start
 * with it, and the largest of the onnxruntime-web builds that may be chosen. Only that one's wasm is left out, which is
 * weighed in megabytes.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

import { root } from './lib/run.mjs'

/** Bytes of JavaScript, gzipped. */
const LIMIT = 250_000

const dist = join(root, 'dist')
const assets = join(dist, 'assets')
const names = readdirSync(assets).filter((name) => name.endsWith('.js'))

/** @param {string} path */
const gzipped = (path) => gzipSync(readFileSync(path), { level: 9 }).length

/**
 * The file and everything that it imports before it runs.
 * @param {string} name in dist/assets
 * @param {Set<string>} found
 */
function withImports(name, found) {
  if (found.has(name)) return
  found.add(name)
  for (const [, other] of readFileSync(join(assets, name), 'utf8').matchAll(
    /(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g,
  )) {
    if (other) withImports(other, found)
  }
}

/** @param {RegExp} pattern */
function need(pattern) {
  const found = names.filter((name) => pattern.test(name))
  if (found.length === 0) throw new Error(`dist/assets has no ${String(pattern)}. Has the build changed?`)
  return found
}

const html = readFileSync(join(dist, 'index.html'), 'utf8')
/** @type {Set<string>} */
const start = new Set()
for (const [, name] of html.matchAll(/assets\/([\w.-]+\.js)/g)) if (name) withImports(name, start)
if (start.size === 0) throw new Error('dist/index.html names no script. Has the build changed?')
// The export worker starts with the first export.
for (const name of need(/^(engine|stage|gallery)\.worker-/)) withImports(name, start)

const rows = [...start].map((name) => ({ name, bytes: gzipped(join(assets, name)) }))
const largest = (/** @type {{ name: string, bytes: number }[]} */ files) =>
  files.reduce((most, file) => (file.bytes > most.bytes ? file : most))
rows.push(largest(need(/^ort\./).map((name) => ({ name, bytes: gzipped(join(assets, name)) }))))
const glue = readdirSync(join(dist, 'ort'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.mjs'),
)
rows.push(largest(glue.map((name) => ({ name: `ort/${name}`, bytes: gzipped(join(dist, 'ort', name)) }))))

const total = rows.reduce((sum, { bytes }) => sum + bytes, 0)
for (const { name, bytes } of rows) console.log(`${(bytes / 1000).toFixed(1).padStart(8)} kB  ${name}`)
console.log(`${(total / 1000).toFixed(1).padStart(8)} kB  in all, gzipped; at most ${LIMIT / 1000} kB`)
process.exitCode = total <= LIMIT ? 0 : 1
