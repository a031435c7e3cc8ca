/** The built app behind vite's preview server, in a headless Chromium: what the benchmark and the sheets drive. */

// Functions given to page methods run in the page.
/* global window, document */

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

import { chromium } from 'playwright-core'

import { ensureChromium, softwareWebGpuFlags } from './chromium.mjs'
import { bin, root, run } from './run.mjs'

/**
 * Waits until the preview server answers.
 * @param {string} origin
 */
async function serverUp(origin) {
  for (let i = 0; i < 200; i++) {
    try {
      if ((await fetch(origin)).ok) return
    } catch {
      // Not yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(
    `The preview server did not start on ${origin}. Is the port taken? Choose another with --port.`,
  )
}

/**
 * Serves the build (made first if it is missing or asked for) while `use` runs.
 * @param {{ port: string, dist: string, build: boolean }} options
 * @param {(origin: string) => Promise<void>} use
 */
export async function withServer(options, use) {
  if (options.build || !existsSync(resolve(root, options.dist, 'index.html'))) {
    if ((await run(bin('vite'), ['build', '--outDir', options.dist, '--logLevel=warn'])) !== 0)
      throw new Error('the build failed')
  }
  const vite = resolve(root, 'node_modules/vite/bin/vite.js')
  const server = spawn(
    process.execPath,
    [vite, 'preview', '--outDir', options.dist, '--port', options.port, '--strictPort'],
    { cwd: root, env: { ...process.env, ANYFLOW_TEST_FIXTURES: '1' }, stdio: 'ignore' },
  )
  try {
    const origin = `http://localhost:${options.port}`
    await serverUp(origin)
    await use(origin)
  } finally {
    server.kill()
  }
}

/**
 * Serves the build and gives `use` a browser context.
 * @param {{ port: string, dist: string, build: boolean, software: boolean, args?: string[] }} options
 *   `args`: more of Chromium's flags
 * @param {(context: import('playwright-core').BrowserContext, origin: string) => Promise<void>} use
 */
export async function withStudio(options, use) {
  const executablePath = await ensureChromium()
  await withServer(options, async (origin) => {
    const browser = await chromium.launch({
      executablePath,
      args: [
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        ...(options.software ? softwareWebGpuFlags : []),
        ...(options.args ?? []),
      ],
    })
    try {
      await use(await browser.newContext(), origin)
    } finally {
      await browser.close()
    }
  })
}

/**
 * Waits for the app's model in a page opened with `test=1`.
 * @param {import('playwright-core').Page} page
 */
export async function modelLoaded(page) {
  await page.waitForFunction(
    () => window.__anyflow?.loaded() || document.querySelector('[data-testid=preview][data-state=error]'),
    undefined,
    { timeout: 600_000 },
  )
  const loaded = await page.evaluate(() => {
    const model = window.__anyflow?.loaded()
    return model && { id: model.manifest.id, backend: model.backend }
  })
  if (!loaded)
    throw new Error(`the model did not load: ${await page.getByRole('status').first().innerText()}`)
  return loaded
}
