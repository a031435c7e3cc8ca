/**
 * `npm run sheet`: what the bundled model makes of held-out prompts, in the app, unpicked. Each prompt of
 * models/results/heldout-prompts.json is made with its seed at 1, 4 and 16 steps; five frames of each go into one PNG,
 * beside the prompt's text.
 *
 *   npm run sheet -- [--out docs/contact-sheet.png] [--steps 1,4,16] [--prompts FILE] [--model ID-OR-PATH] [--build]
 */

// Functions given to `evaluate` run in the page.
/* global window, document, OffscreenCanvas, ImageData, FileReader */

import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { root } from './lib/run.mjs'
import { modelLoaded, withStudio } from './lib/studio.mjs'

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'docs/contact-sheet.png' },
    prompts: { type: 'string', default: 'models/results/heldout-prompts.json' },
    steps: { type: 'string', default: '1,4,16' },
    backend: { type: 'string', default: 'wasm' },
    model: { type: 'string' },
    port: { type: 'string', default: '4331' },
    dist: { type: 'string', default: 'dist' },
    software: { type: 'boolean', default: false },
    build: { type: 'boolean', default: false },
  },
})

/** @typedef {{ prompt: string, seed: number }} Request */

/**
 * Makes one take in a fresh page and leaves a strip of five frames in `window.strip` as a data URL.
 * @param {import('playwright-core').BrowserContext} context
 * @param {string} origin
 * @param {Request} request
 * @param {number} steps
 * @returns {Promise<string>} PNG data URL
 */
async function strip(context, origin, request, steps) {
  const page = await context.newPage()
  const params = new URLSearchParams({ test: '1', backend: values.backend, steps: String(steps) })
  params.set('prompt', request.prompt)
  params.set('seed', String(request.seed))
  if (values.model) params.set('model', values.model)
  await page.goto(`${origin}/?${params.toString()}`)
  await modelLoaded(page)
  await page.getByRole('button', { name: 'Generate', exact: true }).click()
  await page.waitForFunction(
    () =>
      /done|error/.test(document.querySelector('[data-testid=preview]')?.getAttribute('data-state') ?? ''),
    undefined,
    { timeout: 120_000 },
  )
  const url = await page.evaluate(async () => {
    const hook = window.__anyflow
    const take = hook?.take()
    if (!hook || !take || take.failure) throw new Error(take?.failure?.message ?? 'no take')
    const shown = 5
    /** @type {OffscreenCanvas | undefined} */
    let canvas
    for (let i = 0; i < shown; i++) {
      const frame = await hook.getFrame(Math.round((i * (take.frames - 1)) / (shown - 1)))
      canvas ??= new OffscreenCanvas(frame.width * shown, frame.height)
      const pixels = new ImageData(new Uint8ClampedArray(frame.rgba), frame.width, frame.height)
      canvas.getContext('2d')?.putImageData(pixels, i * frame.width, 0)
    }
    if (!canvas) throw new Error('no frames')
    const blob = await canvas.convertToBlob()
    return new Promise((done) => {
      const reader = new FileReader()
      reader.onload = () => done(reader.result)
      reader.readAsDataURL(blob)
    })
  })
  await page.close()
  return String(url)
}

/** @param {string} text */
const escaped = (text) => text.replace(/[&<]/g, (c) => (c === '&' ? '&amp;' : '&lt;'))

try {
  /** @type {Request[]} */
  const requests = JSON.parse(await readFile(resolve(root, values.prompts), 'utf8'))
  const counts = values.steps.split(',').map(Number)
  await withStudio(values, async (context, origin) => {
    const rows = []
    for (const request of requests) {
      const cells = []
      for (const steps of counts) {
        cells.push(`<td><img src="${await strip(context, origin, request, steps)}"></td>`)
      }
      rows.push(
        `<tr><td colspan="${counts.length}">${escaped(request.prompt)} <i>seed ${request.seed}</i></td></tr>`,
      )
      rows.push(`<tr>${cells.join('')}</tr>`)
      console.log(request.prompt)
    }
    const head = counts.map((n) => `<th>${n} step${n === 1 ? '' : 's'}</th>`).join('')
    const page = await context.newPage()
    await page.setContent(
      `<style>body{margin:12px;background:#fff;font:15px system-ui}table{border-spacing:8px 2px;width:max-content}
       td{padding:0}th{font-weight:600}i{color:#777}img{display:block;height:96px;border-radius:4px}</style>
       <table><tr>${head}</tr>${rows.join('')}</table>`,
    )
    const file = resolve(root, values.out)
    await writeFile(file, await page.locator('table').screenshot())
    console.log(`wrote ${values.out}`)
  })
} catch (error) {
  console.error(`No contact sheet: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
