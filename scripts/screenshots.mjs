/**
 * `npm run screenshots`: the pictures of the README, of the app as built, with the bundled model, on WASM:
 * docs/studio.png (a finished take, 1280 x 800) and docs/screens/{empty,generating,finished,sweep,gallery,narrow}.png.
 *
 *   npm run screenshots -- [--out docs] [--steps 16] [--model ID-OR-PATH] [--theme dark]
 */

// Functions given to `evaluate` run in the page.
/* global window, document, HTMLElement */

import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { smaller } from './lib/png.mjs'
import { root } from './lib/run.mjs'
import { modelLoaded, withStudio } from './lib/studio.mjs'

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'docs' },
    steps: { type: 'string', default: '16' },
    model: { type: 'string' },
    theme: { type: 'string', default: 'dark' },
    port: { type: 'string', default: '4332' },
  },
})

/** Bytes of all pictures together. */
const LIMIT = 1.5 * 2 ** 20
const wide = { width: 1280, height: 800 }
const narrow = { width: 360, height: 780 }

/** @typedef {import('playwright-core').Page} Page */

let total = 0

/**
 * Takes a picture of the window as it is.
 * @param {Page} page
 * @param {string} name relative to the folder of pictures
 */
async function shoot(page, name) {
  // Off every control, or one would look hovered or focused.
  await page.mouse.move(2, 2)
  await page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur())
  const file = resolve(root, values.out, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, smaller(await page.screenshot({ animations: 'disabled' })))
  const { size } = await stat(file)
  total += size
  console.log(`${join(values.out, name)}: ${Math.round(size / 1024)} KiB`)
}

/**
 * @param {import('playwright-core').BrowserContext} context
 * @param {string} origin
 * @param {{ width: number, height: number }} size
 * @param {Record<string, string>} request
 * @returns {Promise<Page>} with the model loaded
 */
async function open(context, origin, size, request) {
  const page = await context.newPage()
  await page.setViewportSize(size)
  const params = new URLSearchParams({ test: '1', backend: 'wasm', ...request })
  if (values.model) params.set('model', values.model)
  await page.goto(`${origin}/?${params.toString()}`)
  await modelLoaded(page)
  return page
}

/** @param {Page} page */
const finished = (page) =>
  page.waitForFunction(
    () => {
      const state = document.querySelector('[data-testid=preview]')?.getAttribute('data-state')
      if (state === 'error') throw new Error(document.querySelector('[role=status]')?.textContent ?? 'error')
      return state === 'done'
    },
    undefined,
    { timeout: 300_000 },
  )

/**
 * Shows the middle of the take, where most happens.
 * @param {Page} page
 */
async function showMiddle(page) {
  const pause = page.getByRole('button', { name: 'Pause' })
  if (await pause.isVisible()) await pause.click()
  const frame = page.getByRole('slider', { name: 'Frame' })
  await frame.fill(String(Math.floor(Number(await frame.getAttribute('max')) * 0.55)))
  // Until the canvas shows it.
  await page.waitForTimeout(300)
}

/** @param {Page} page */
async function generate(page) {
  await page.getByRole('button', { name: 'Generate', exact: true }).click()
  await finished(page)
}

try {
  await withStudio({ ...values, dist: 'dist', build: true, software: false }, async (context, origin) => {
    await context.addInitScript((theme) => localStorage.setItem('anyflow.theme', theme), values.theme)

    let page = await open(context, origin, wide, {})
    await shoot(page, 'screens/empty.png')
    const examples = await page.evaluate(() => window.__anyflow?.loaded()?.manifest.examples ?? [])
    if (examples.length === 0) throw new Error('the model names no examples')
    await page.close()
    const { steps } = values
    const [first] = examples
    if (!first) throw new Error('the model names no examples')

    // The first example once more, with half of it made.
    // Elsewhere, so that the gallery has no half of it.
    const other = await context.browser()?.newContext()
    if (!other) throw new Error('the browser is gone')
    await other.addInitScript((theme) => localStorage.setItem('anyflow.theme', theme), values.theme)
    page = await open(other, origin, wide, { prompt: first.prompt, seed: String(first.seed), steps: '64' })
    await page.getByRole('button', { name: 'Generate', exact: true }).click()
    await page.waitForFunction(
      () => {
        const take = window.__anyflow?.take()
        return take?.request && take.frames >= take.request.frames / 2
      },
      undefined,
      { timeout: 300_000 },
    )
    await shoot(page, 'screens/generating.png')
    await other.close()

    // From here on as for somebody who has been here before.
    await context.addInitScript(() => localStorage.setItem('anyflow.steps-hint', 'seen'))
    // Takes of every example: the gallery of the pictures that follow.
    page = await open(context, origin, wide, { seed: '1', steps })
    for (const { prompt, seed } of examples.toReversed()) {
      await page.getByRole('textbox', { name: 'Prompt' }).fill(prompt)
      await page.getByRole('textbox', { name: 'Seed' }).fill(String(seed))
      await generate(page)
    }
    await showMiddle(page)
    await shoot(page, 'studio.png')
    await page.getByRole('button', { name: 'Show measurements' }).click()
    await shoot(page, 'screens/finished.png')
    await page.getByRole('button', { name: 'Show measurements' }).click()
    await page.getByRole('button', { name: 'Show all takes' }).click()
    await shoot(page, 'screens/gallery.png')
    await page.getByRole('button', { name: 'Show all takes' }).click()

    await page.getByRole('button', { name: 'Step sweep' }).click()
    await page
      .getByRole('button', { name: /^Keep / })
      .nth(5)
      .waitFor({ timeout: 600_000 })
    await finished(page)
    await shoot(page, 'screens/sweep.png')
    await page.close()

    page = await open(context, origin, narrow, { prompt: first.prompt, seed: String(first.seed), steps })
    await generate(page)
    await showMiddle(page)
    await shoot(page, 'screens/narrow.png')
  })
  console.log(`${Math.round(total / 1024)} KiB in all`)
  if (total > LIMIT) throw new Error(`the pictures take more than ${LIMIT / 2 ** 20} MiB`)
} catch (error) {
  console.error(`No screenshots: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
