/**
 * `npm run endless`: makes 200 chunks of video without an end in the built app on WASM, and fails when the 200th costs more
 * than the 20th: memory by more than 5 %, time a chunk by more than 10 %. A few minutes; not part of `npm test`.
 *
 *   npm run endless -- [--backend wasm|webgpu] [--chunks 200] [--model ID-OR-PATH] [--steps 1] [--build] [--dist FOLDER]
 *
 * Memory is that of the page and its workers (`performance.measureUserAgentSpecificMemory`, after a collection). The frames
 * that are held to be played and exported are counted apart: their number grows to its limit (the newest minute) by design, and
 * depends on nothing else.
 */

// Functions given to `evaluate` run in the page.
/* global window, document */

import { parseArgs } from 'node:util'

import { modelLoaded, withStudio } from './lib/studio.mjs'

const { values } = parseArgs({
  options: {
    chunks: { type: 'string', default: '200' },
    model: { type: 'string' },
    prompt: { type: 'string', default: 'a red ball bouncing on grass' },
    steps: { type: 'string', default: '1' },
    backend: { type: 'string', default: 'wasm' },
    port: { type: 'string', default: '4331' },
    dist: { type: 'string', default: 'dist' },
    build: { type: 'boolean', default: false },
  },
})

const EARLY = 20
/** Chunks before a measurement that its mean time is of: measuring takes time itself, from what follows. */
const BEFORE = 15
const MORE_MEMORY = 1.05
const MORE_TIME = 1.1

/**
 * Waits for a chunk, then measures. `heap` is the page's own; `all` counts workers and WASM memory too.
 * @param {import('playwright-core').Page} page
 * @param {number} chunk counted from 1
 */
async function measure(page, chunk) {
  await page.waitForFunction(
    (wanted) => {
      const take = window.__anyflow?.take()
      if (take?.phase !== 'running') throw new Error(take?.failure?.message ?? 'the take has ended')
      return (take.progress?.chunk ?? 0) > wanted
    },
    chunk,
    { timeout: 900_000, polling: 100 },
  )
  // What is garbage is no part of the page's own heap, and when it is collected is chance.
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('HeapProfiler.collectGarbage')
  const { usedSize: heap } = await devtools.send('Runtime.getHeapUsage')
  await devtools.detach()
  const memory = await page.evaluate(async () => {
    const { shown, timings } = /** @type {NonNullable<Window['__anyflow']>} */ (window.__anyflow).take()
    const held = shown ? shown.frames * shown.width * shown.height * 4 : 0
    const { bytes } = await /** @type {any} */ (performance).measureUserAgentSpecificMemory()
    // On WebGPU the held frames lie on the GPU too.
    const gpu = timings?.gpuBytes === undefined ? undefined : timings.gpuBytes - held
    return { all: bytes, held, rest: bytes - held, gpu }
  })
  return { ...memory, heap }
}

/**
 * Mean time of the chunks around one, from the moments at which their successors began.
 * @param {number[]} starts ms, by chunk number
 * @param {number} from
 * @param {number} to
 */
function meanChunk(starts, from, to) {
  const first = starts[from]
  const last = starts[to]
  if (first === undefined || last === undefined) throw new Error(`chunks ${from} to ${to} were not all seen`)
  return (last - first) / (to - from)
}

/** @param {number} bytes */
const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`

/**
 * @param {import('playwright-core').BrowserContext} context
 * @param {string} origin
 */
async function main(context, origin) {
  const total = Number(values.chunks)
  const page = await context.newPage()
  const params = new URLSearchParams({ test: '1', seed: '1', prompt: values.prompt, backend: values.backend })
  params.set('steps', values.steps)
  if (values.model) params.set('model', values.model)
  await page.goto(`${origin}/?${params.toString()}`)
  const loaded = await modelLoaded(page)
  await page.getByRole('switch', { name: 'Endless' }).press('Space')
  await page.getByRole('button', { name: 'Generate', exact: true }).click()
  await page.waitForFunction(() => (window.__anyflow?.take().shown?.frames ?? 0) > 0)
  // Four times as fast: a take that nobody can follow is held back, and would be timed by its player.
  await page.evaluate(() => /** @type {HTMLElement | null} */ (document.activeElement)?.blur())
  for (const key of ['l', 'l', 'l']) await page.keyboard.press(key)
  await page.evaluate(() => {
    const starts = /** @type {number[]} */ ([])
    Object.assign(window, { chunkStarts: starts })
    setInterval(() => {
      const chunk = window.__anyflow?.take().progress?.chunk
      if (chunk !== undefined) starts[chunk] ??= performance.now()
    }, 5)
  })
  const early = await measure(page, EARLY)
  const late = await measure(page, total)
  const starts = await page.evaluate(() => /** @type {any} */ (window).chunkStarts)
  await page.getByRole('button', { name: 'Stop', exact: true }).click()
  const times = {
    early: meanChunk(starts, EARLY - BEFORE, EARLY),
    late: meanChunk(starts, total - BEFORE, total),
  }
  console.log(`${loaded.id}, ${values.steps} step(s), ${loaded.backend.label}, ${total} chunks`)
  const rows = [
    ['', `chunk ${EARLY}`, `chunk ${total}`, ''],
    ['memory, page and workers', mb(early.all), mb(late.all), ''],
    ['  of it frames held to be played', mb(early.held), mb(late.held), ''],
    ['  without them', mb(early.rest), mb(late.rest), percent(late.rest / early.rest)],
    ["page's JS heap", mb(early.heap), mb(late.heap), percent(late.heap / early.heap)],
    ...(early.gpu && late.gpu
      ? [['GPU, without held frames', mb(early.gpu), mb(late.gpu), percent(late.gpu / early.gpu)]]
      : []),
    [
      `mean time a chunk, the ${BEFORE} before`,
      `${times.early.toFixed(0)} ms`,
      `${times.late.toFixed(0)} ms`,
      percent(times.late / times.early),
    ],
  ]
  for (const [name = '', ...cells] of rows)
    console.log(`  ${name.padEnd(36)}${cells.map((cell) => cell.padStart(12)).join('')}`)
  if (late.rest > early.rest * MORE_MEMORY) fail('memory', late.rest / early.rest)
  if (late.heap > early.heap * MORE_MEMORY) fail("the page's JS heap", late.heap / early.heap)
  if (early.gpu && late.gpu && late.gpu > early.gpu * MORE_MEMORY) fail('GPU memory', late.gpu / early.gpu)
  if (times.late > times.early * MORE_TIME) fail('time a chunk', times.late / times.early)
}

/** @param {number} ratio */
const percent = (ratio) => `${ratio >= 1 ? '+' : ''}${((ratio - 1) * 100).toFixed(1)} %`

/** @param {string} what @param {number} ratio */
function fail(what, ratio) {
  console.error(`FAIL: ${what} rose by ${percent(ratio)}`)
  process.exitCode = 1
}

try {
  // The measurement waits for a collection, which this makes happen at once.
  const args = ['--enable-blink-features=ForceEagerMeasureMemory', '--enable-precise-memory-info']
  await withStudio({ ...values, software: values.backend === 'webgpu', args }, main)
} catch (error) {
  console.error(`The measurement failed: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
