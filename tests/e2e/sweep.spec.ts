/** Steps compared: predicted time, sweep, refine, per-chunk steps. */

import type { Locator } from '@playwright/test'

import { FIXTURE, PROMPT, type StudioPage } from './support/studio'
import { expect, test } from './support/test'

const OPEN = { model: FIXTURE, prompt: PROMPT, seed: 5, steps: 2, length: 9 }
const SWEEP = [1, 2, 4, 8, 16, 32]

function shownRequest(studio: StudioPage) {
  return studio.page.evaluate(() => window.__anyflow!.take().shown?.request)
}

/** The pixels that each tile of a sweep shows. */
function picturesOf(view: Locator): Promise<string[]> {
  return view.locator('canvas').evaluateAll((canvases) =>
    (canvases as HTMLCanvasElement[]).map((canvas) => {
      const copy = new OffscreenCanvas(canvas.width, canvas.height)
      const context = copy.getContext('2d')!
      context.drawImage(canvas, 0, 0)
      return context.getImageData(0, 0, copy.width, copy.height).data.join()
    }),
  )
}

test('the Steps slider says how long a take will be, once one was measured', async ({ studio }) => {
  await studio.open(OPEN)
  const estimate = studio.page.getByTestId('estimate')
  await expect(estimate).toHaveCount(0)
  await studio.make()
  const ms = async (): Promise<number> => Number(await estimate.getAttribute('data-ms'))
  const measured = await studio.page.evaluate(() => window.__anyflow!.take().timings!)
  expect(Math.abs((await ms()) - measured.totalMs)).toBeLessThanOrEqual(1)
  // Two chunks of two steps more each; the slider makes the take again, so look before that.
  const few = await ms()
  await studio.steps.fill('64')
  expect(await ms()).toBeGreaterThan(few)
  await studio.page.keyboard.press('Escape')
})

test('Step sweep makes one seed at six numbers of steps side by side, and one is kept', async ({
  studio,
}) => {
  await studio.open(OPEN)
  await studio.page.getByRole('button', { name: 'Step sweep' }).click()
  const view = studio.page.getByRole('region', { name: 'Sweep' })
  await expect(view.getByTestId('sweep-progress')).toContainText('of 6')
  const tiles = view.getByRole('button', { name: /^Keep / })
  await expect(tiles).toHaveCount(6, { timeout: 90_000 })
  await studio.finished()
  await expect(tiles).toHaveText(SWEEP.map((steps) => new RegExp(`^${steps} ?steps?.*s$`)))
  // They play, all on the same beat.
  const pictures = () => picturesOf(view)
  const before = await pictures()
  expect(before).toHaveLength(6)
  expect(new Set(before).size, 'each number of steps has its own picture').toBe(6)
  await expect.poll(async () => (await pictures()).every((data, i) => data !== before[i])).toBe(true)

  await tiles.nth(3).click()
  await expect(view).toHaveCount(0)
  expect(await shownRequest(studio)).toMatchObject({ steps: 8, seed: 5 })
  await expect(studio.steps).toHaveValue('8')
  const kept = await studio.digest()
  await studio.make()
  expect(await studio.digest(), 'what was kept is what the request makes').toBe(kept)
})

test('the takes of a sweep pause together, and stay when Steps is moved', async ({ studio }) => {
  const { page } = studio
  await studio.open(OPEN)
  await page.getByRole('button', { name: 'Step sweep' }).click()
  const view = page.getByRole('region', { name: 'Sweep' })
  const tiles = view.getByRole('button', { name: /^Keep / })
  await expect(tiles).toHaveCount(6, { timeout: 90_000 })
  await studio.finished()
  await page.getByRole('button', { name: 'Pause' }).click()
  await expect(page.getByRole('button', { name: 'Play' })).toBeVisible()
  // What was already on its way to the canvases arrives.
  let still = await picturesOf(view)
  await expect
    .poll(async () => {
      const before = still
      still = await picturesOf(view)
      return still.join() === before.join()
    })
    .toBe(true)
  await page.waitForTimeout(500)
  expect(await picturesOf(view)).toEqual(still)

  await studio.steps.fill('5')
  await page.waitForTimeout(1000)
  await expect(tiles).toHaveCount(6)
  await expect(studio.preview).toHaveAttribute('data-state', 'done')
  await page.getByRole('button', { name: 'Play' }).click()
  await expect.poll(async () => (await picturesOf(view)).every((data, i) => data !== still[i])).toBe(true)
})

test('closing a sweep keeps the take that stays shown; opening a kept take closes one', async ({
  studio,
}) => {
  const { page } = studio
  await studio.open(OPEN)
  await studio.make()
  const gallery = page.getByRole('region', { name: 'Gallery' })
  await expect(gallery.getByRole('listitem')).toHaveCount(1)
  const view = page.getByRole('region', { name: 'Sweep' })
  const sweep = async (): Promise<void> => {
    await page.getByRole('button', { name: 'Step sweep' }).click()
    await expect(view.getByRole('button', { name: /^Keep / })).toHaveCount(6, { timeout: 90_000 })
    await studio.finished()
  }
  await sweep()
  await view.getByRole('button', { name: 'Close the comparison' }).click()
  await expect(gallery.getByRole('listitem')).toHaveCount(2)
  expect(await shownRequest(studio)).toMatchObject({ steps: 32 })
  await sweep()
  await gallery.getByRole('button', { name: /^Open/ }).last().click()
  await expect(view).toHaveCount(0)
  expect(await shownRequest(studio)).toMatchObject({ steps: 2 })
})

test('a sweep can be stopped, and keeps what it has', async ({ studio }) => {
  await studio.open({ ...OPEN, length: 33 })
  await studio.page.getByRole('button', { name: 'Step sweep' }).click()
  await expect(studio.page.getByRole('button', { name: /^Keep 1 step/ })).toBeVisible({ timeout: 60_000 })
  await studio.stop.click()
  await expect(studio.preview).not.toHaveAttribute('data-state', 'running')
  const tiles = studio.page.getByRole('button', { name: /^Keep / })
  expect(await tiles.count()).toBeLessThan(6)
  await tiles.first().click()
  expect(await shownRequest(studio)).toMatchObject({ steps: 1 })
})

test('Refine makes the draft again at more steps and wipes between the two', async ({ studio }) => {
  await studio.open(OPEN)
  const refine = studio.page.getByRole('button', { name: 'Refine' })
  await expect(refine).toBeDisabled()
  await studio.make()
  const draft = await studio.digest()
  await refine.click()
  // The slider follows as soon as the refined take has started.
  await expect(studio.steps).toHaveValue('4')
  await studio.finished()
  expect(await shownRequest(studio)).toMatchObject({ steps: 4, seed: 5 })
  expect(await studio.digest()).not.toBe(draft)
  const divider = studio.page.getByRole('slider', { name: 'Divider' })
  await expect(divider).toHaveValue('50')
  await divider.focus()
  await studio.page.keyboard.press('ArrowRight')
  await expect(divider).toHaveValue('51')
  await studio.page.keyboard.press('Home')
  await expect(divider).toHaveValue('0')
  const box = (await studio.preview.boundingBox())!
  await studio.page.mouse.click(box.x + box.width * 0.75, box.y + box.height / 2)
  await expect.poll(async () => Number(await divider.inputValue())).toBeGreaterThan(70)
  await studio.page.getByRole('button', { name: 'Back to the draft' }).click()
  await expect(divider).toHaveCount(0)
  expect(await studio.digest()).toBe(draft)
  await expect(studio.steps).toHaveValue('2')
})

test('per-chunk steps give the first chunk more than the others', async ({ studio }) => {
  await studio.open({ ...OPEN, steps: 8 })
  await studio.page.getByRole('switch', { name: 'Per-chunk steps' }).press('Space')
  await studio.page.getByRole('slider', { name: 'After the first chunk' }).fill('1')
  await expect(studio.page).toHaveURL(/later=1/)
  await studio.make()
  expect(await shownRequest(studio)).toMatchObject({ steps: 8, laterSteps: 1 })
  const fewer = await studio.digest()
  await studio.page.getByRole('switch', { name: 'Per-chunk steps' }).press('Space')
  await studio.finished()
  await expect.poll(async () => (await shownRequest(studio))?.laterSteps).toBeUndefined()
  await studio.finished()
  expect(await studio.digest()).not.toBe(fewer)
})
