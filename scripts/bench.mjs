/**
 * `npm run bench`: times takes of the built app in Chromium and prints what a user waits for. Figures are those of this
 * machine and of the moment; ratios within one run say more than absolute times.
 *
 *   npm run bench -- [--backend wasm|webgpu|auto] [--model ID-OR-PATH] [--steps 4] [--frames 33] [--runs 3] [--build]
 *     --software for a WebGPU adapter in software, --dist FOLDER for another build
 */

// Functions given to `evaluate` run in the page.
/* global window, document, requestAnimationFrame */

import { cpus } from 'node:os'
import { parseArgs } from 'node:util'

import { modelLoaded, withStudio } from './lib/studio.mjs'

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'wasm' },
    model: { type: 'string' },
    prompt: { type: 'string', default: 'a red ball bouncing on grass' },
    steps: { type: 'string', default: '4' },
    frames: { type: 'string', default: '33' },
    runs: { type: 'string', default: '3' },
    port: { type: 'string', default: '4329' },
    software: { type: 'boolean', default: false },
    dist: { type: 'string', default: 'dist' },
    build: { type: 'boolean', default: false },
  },
})

/** Middle value. @param {number[]} numbers */
function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}

/** @param {number | undefined} ms */
const show = (ms) =>
  ms === undefined ? '-' : ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`

/**
 * One take in the page, from pressing Generate.
 * @param {import('playwright-core').Page} page
 */
function take(page) {
  return page.evaluate(async () => {
    const hook = window.__anyflow
    const preview = /** @type {HTMLElement} */ (document.querySelector('[data-testid=preview]'))
    const button = [...document.querySelectorAll('button')].find((b) => /^Generate/.test(b.textContent ?? ''))
    if (!hook || !button) throw new Error('the page has no test hook or no Generate button')
    const started = performance.now()
    button.click()
    const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve))
    while (preview.dataset['state'] !== 'running') await nextFrame()
    while (hook.take().frames === 0 && preview.dataset['state'] === 'running') await nextFrame()
    const firstOnScreen = performance.now() - started
    while (preview.dataset['state'] === 'running') await nextFrame()
    const total = performance.now() - started
    const { failure, frames, timings } = hook.take()
    if (failure) throw new Error(failure.message)
    return { firstOnScreen, total, frames, timings: timings ?? { totalMs: total } }
  })
}

/**
 * Opens the app and waits for its model.
 * @param {import('playwright-core').BrowserContext} context
 * @param {string} origin
 */
async function open(context, origin) {
  const page = await context.newPage()
  const params = new URLSearchParams({ test: '1', seed: '1', prompt: values.prompt, backend: values.backend })
  params.set('steps', values.steps)
  params.set('length', values.frames)
  if (values.model) params.set('model', values.model)
  const started = performance.now()
  await page.goto(`${origin}/?${params.toString()}`)
  const loaded = await modelLoaded(page)
  return { page, loaded, ms: performance.now() - started }
}

/**
 * Measures and prints.
 * @param {import('playwright-core').BrowserContext} context
 * @param {string} origin
 */
async function main(context, origin) {
  const cold = await open(context, origin)
  await cold.page.close()
  const { page, loaded, ms } = await open(context, origin)
  const first = await take(page)
  /** @type {Awaited<ReturnType<typeof take>>[]} */
  const runs = []
  for (let i = 0; i < Number(values.runs); i++) runs.push(await take(page))

  /** @param {(run: (typeof runs)[number]) => number | undefined} pick */
  const typical = (pick) => median(runs.map(pick).filter((value) => value !== undefined))
  const frames = runs[0]?.frames ?? 0
  console.log(
    `${loaded.id}: ${frames} frames at ${values.steps} steps, ${loaded.backend.label}` +
      `${loaded.backend.adapter && ` on ${loaded.backend.adapter}`}, ${cpus().length} cores; ` +
      `median of ${runs.length} takes after the first`,
  )
  const rows = [
    ['page and model, first visit', cold.ms],
    ['page and model, files cached', ms],
    ['first take', first.total],
    ['take', typical((run) => run.total)],
    ['first frame on screen, first take', first.firstOnScreen],
    ['first frame on screen', typical((run) => run.firstOnScreen)],
    ['network pass', typical((run) => run.timings.passMs)],
    ['cache write', typical((run) => run.timings.cacheMs)],
    ['chunk (passes, cache, decoding)', typical((run) => run.timings.chunkMs)],
    ['estimate of a chunk under way', typical((run) => run.timings.estimateMs)],
    ['decoded frame', typical((run) => run.timings.frameMs)],
    ['text, first take', first.timings.textMs],
  ]
  for (const [name, value] of rows) console.log(`  ${String(name).padEnd(34)} ${show(Number(value))}`)
  const total = typical((run) => run.total)
  console.log(`  ${'frames a second, whole take'.padEnd(34)} ${((frames / total) * 1000).toFixed(1)}`)
}

try {
  await withStudio(values, main)
} catch (error) {
  console.error(`Benchmark failed: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
