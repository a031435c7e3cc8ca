import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { expect, type Locator, type Page } from '@playwright/test'

import type { TestHook } from '../../../src/app/test-hook'

/** The fixture package: random weights, loads in a blink. */
export const FIXTURE = '/fixtures/tiny/'
export const PROMPT = 'a red ball bouncing on grass'

/** Query part that names the bundled student, or the fixture in a checkout that has none yet. */
export const studentParams: Record<string, string> = existsSync(
  join(import.meta.dirname, '../../../public/models/index.json'),
)
  ? {}
  : { model: FIXTURE }

/** Drives the app by the accessible names that DESIGN.md section 4 promises. */
export class StudioPage {
  readonly preview: Locator
  readonly status: Locator
  readonly prompt: Locator
  readonly steps: Locator
  readonly length: Locator
  readonly seed: Locator
  readonly generate: Locator
  readonly stop: Locator
  readonly exportButton: Locator

  constructor(readonly page: Page) {
    this.preview = page.getByTestId('preview')
    this.status = page.getByRole('status')
    this.prompt = page.getByRole('textbox', { name: 'Prompt' })
    this.steps = page.getByRole('slider', { name: 'Steps' })
    this.length = page.getByRole('slider', { name: 'Length' })
    this.seed = page.getByRole('textbox', { name: 'Seed' })
    this.generate = page.getByRole('button', { name: 'Generate', exact: true })
    this.stop = page.getByRole('button', { name: 'Stop', exact: true })
    this.exportButton = page.getByRole('button', { name: 'Export MP4' })
  }

  /** Opens the app with the test hook, on WASM unless told otherwise. */
  async goto(params: Record<string, string | number>): Promise<void> {
    const search = new URLSearchParams({ test: '1', backend: 'wasm' })
    for (const [name, value] of Object.entries(params)) search.set(name, String(value))
    await this.page.goto(`/?${search.toString()}`)
  }

  /** Opens the app and waits for the model. */
  async open(params: Record<string, string | number>): Promise<void> {
    await this.goto(params)
    await expect(this.status).toHaveText('Ready', { timeout: 60_000 })
  }

  /** Presses Generate and waits for the end of the take. */
  async make(): Promise<void> {
    await this.generate.click()
    await this.finished()
  }

  /** Waits for a take that was started. */
  async finished(): Promise<void> {
    await expect(this.preview).toHaveAttribute('data-state', 'done', { timeout: 90_000 })
    await expect(this.status).toHaveText('Ready')
  }

  async frames(): Promise<number> {
    return Number(await this.preview.getAttribute('data-frames'))
  }

  /** SHA-256 of all decoded frames. */
  digest(): Promise<string> {
    return this.page.evaluate(() => hook().digest())
  }

  /** RGBA of one decoded frame. */
  async frame(index: number): Promise<number[]> {
    return this.page.evaluate(async (i) => [...(await hook().getFrame(i)).rgba], index)
  }

  /** Moves the scrubber to a frame. Paused before: one that plays may stand there already, and nothing would change. */
  async seek(index: number): Promise<void> {
    const pause = this.page.getByRole('button', { name: 'Pause' })
    if (await pause.isVisible()) await pause.click()
    await expect(this.page.getByRole('button', { name: 'Play' })).toBeVisible()
    await this.page.getByRole('slider', { name: 'Frame' }).fill(String(index))
  }

  /** Moves the scrubber to a frame, and waits until the canvas shows it, pixel for pixel. */
  async showFrame(index: number): Promise<void> {
    await this.seek(index)
    const pixels = await this.frame(index)
    await expect
      .poll(async () => meanError((await this.canvasPixels()).rgba, pixels), {
        message: `frame ${index} on the canvas`,
      })
      .toBe(0)
  }

  /** RGBA of what the preview canvas shows, at the canvas's own size. */
  async canvasPixels(): Promise<{ width: number; height: number; rgba: number[] }> {
    return this.preview.evaluate((canvas: HTMLCanvasElement) => {
      const copy = new OffscreenCanvas(canvas.width, canvas.height)
      const context = copy.getContext('2d')!
      context.drawImage(canvas, 0, 0)
      const { width, height, data } = context.getImageData(0, 0, copy.width, copy.height)
      return { width, height, rgba: [...data] }
    })
  }
}

/** Runs in the page. */
declare function hook(): TestHook

/** Puts `hook()` into every page of the test. */
export async function installHook(page: Page): Promise<void> {
  await page.addInitScript(() => {
    Object.assign(globalThis, {
      hook: () => {
        if (!window.__anyflow) throw new Error('the page was opened without test=1')
        return window.__anyflow
      },
    })
  })
}

/** Mean absolute difference of the colour channels, 0..255. */
export function meanError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length || a.length === 0)
    throw new Error(`cannot compare ${a.length} with ${b.length} values`)
  let sum = 0
  for (let i = 0; i < a.length; i++) if (i % 4 !== 3) sum += Math.abs(a[i]! - b[i]!)
  return sum / ((a.length / 4) * 3)
}
