import { readFile } from 'node:fs/promises'

import type { Locator, Page } from '@playwright/test'

import { dropFile, halvesPng } from './support/files'
import { FIXTURE, PROMPT } from './support/studio'
import { expect, test } from './support/test'

const region = (page: Page): Locator => page.getByRole('region', { name: 'Gallery' })
const cards = (page: Page): Locator => region(page).getByRole('listitem')
const openButton = (page: Page): Locator => cards(page).getByRole('button', { name: /^Open/ })
const undoButton = (page: Page): Locator => region(page).getByRole('button', { name: 'Undo' })

async function act(page: Page, card: number, action: string): Promise<void> {
  await cards(page)
    .nth(card)
    .getByRole('button', { name: /^Actions/ })
    .click()
  await page.getByRole('menuitem', { name: action, exact: true }).click()
}

test('a take outlives a reload, opens as it was made, and can be deleted and brought back', async ({
  studio,
}) => {
  const { page } = studio
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 1, steps: 2, length: 9 })
  await studio.make()
  const digest = await studio.digest()
  await expect(cards(page)).toHaveCount(1)
  await expect(cards(page)).toContainText('2 steps')
  await expect(cards(page)).not.toContainText('unfinished')
  await expect(region(page)).toContainText(/1 take, .* of .* used/)

  await page.reload()
  await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
  await expect(cards(page)).toHaveCount(1)
  await cards(page).getByRole('button', { name: /^Open/ }).click()
  await expect(studio.preview).toHaveAttribute('data-frames', '9')
  expect(await studio.digest(), 'nothing is lost on the way').toBe(digest)
  await studio.showFrame(5)

  await act(page, 0, 'Delete')
  await expect(cards(page)).toHaveCount(0)
  await region(page).getByRole('button', { name: 'Undo' }).click()
  await expect(cards(page)).toHaveCount(1)
  await act(page, 0, 'Delete')
  await expect(cards(page)).toHaveCount(0)
  await page.reload()
  await expect(region(page)).toContainText('Takes are kept here')
})

test('a take that is deleted while it is made stays deleted, and comes back whole', async ({ studio }) => {
  const { page } = studio
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 1, steps: 32, length: 129 })
  await studio.generate.click()
  await expect(cards(page)).toHaveCount(1)
  await act(page, 0, 'Delete')
  await expect(undoButton(page)).toBeVisible()
  const seen = await studio.frames()
  await expect.poll(() => studio.frames(), { timeout: 8000 }).toBeGreaterThan(seen)
  await expect(cards(page)).toHaveCount(0)
  await undoButton(page).click()
  await expect(cards(page)).toHaveCount(1)
  await studio.stop.click()
  await expect(cards(page)).toContainText('stopped')
  const [frames, digest] = [await studio.frames(), await studio.digest()]
  await page.reload()
  await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
  await openButton(page).click()
  await expect(studio.preview).toHaveAttribute('data-frames', String(frames))
  expect(await studio.digest(), 'with its beginning').toBe(digest)
})

test('a chunk that is made again and not finished leaves no old frames behind', async ({ studio }) => {
  const { page } = studio
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 1, steps: 64, length: 9 })
  await page.getByRole('switch', { name: 'Endless' }).press('Space')
  await studio.generate.click()
  await expect.poll(() => studio.frames(), { timeout: 60_000 }).toBeGreaterThan(24)
  await page.getByRole('button', { name: 'Redo last chunk' }).click()
  await expect.poll(() => page.evaluate(() => window.__anyflow!.take().request?.chunkSeeds?.length)).toBe(1)
  await studio.stop.click()
  await expect(studio.preview).toHaveAttribute('data-state', 'done')
  await expect(cards(page)).toContainText('endless')
  const [frames, digest] = [await studio.frames(), await studio.digest()]
  await page.reload()
  await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
  await openButton(page).click()
  await expect(studio.preview).toHaveAttribute('data-frames', String(frames))
  expect(await studio.digest()).toBe(digest)
})

test('the focus is on Undo after a deletion, then on the card in its place', async ({ studio }) => {
  const { page } = studio
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 1, steps: 1, length: 9 })
  await studio.make()
  await studio.seed.fill('2')
  await studio.make()
  await expect(cards(page)).toHaveCount(2)
  const deleteFirst = async (): Promise<void> => {
    await cards(page)
      .first()
      .getByRole('button', { name: /^Actions/ })
      .press('Enter')
    await expect(page.getByRole('menuitem', { name: 'Restore settings' })).toBeFocused()
    await page.keyboard.press('End')
    await page.keyboard.press('Enter')
  }
  await deleteFirst()
  await expect(undoButton(page)).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(openButton(page).first()).toBeFocused()
  await expect(openButton(page).first()).toHaveAccessibleName(/seed 2$/)
  await deleteFirst()
  await expect(undoButton(page)).toBeFocused()
  await expect(undoButton(page), 'once its time is over').toHaveCount(0, { timeout: 15_000 })
  await expect(openButton(page)).toBeFocused()
  await expect(openButton(page)).toHaveAccessibleName(/seed 1$/)
})

test('restored settings of a take that began with an image say that the image is missing', async ({
  studio,
}) => {
  const { page } = studio
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 1, steps: 1, length: 9 })
  await dropFile(page, 'halves.png', 'image/png', await halvesPng(page, 64, 64))
  await expect(page.getByRole('img', { name: 'halves.png' })).toBeVisible()
  await studio.make()
  await act(page, 0, 'Restore settings')
  await expect(page.getByRole('alert')).toContainText(
    /began with an image.*Choose the image again under Image/,
  )
})

test('settings come back without making a take', async ({ studio }) => {
  const { page } = studio
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 1, steps: 2, length: 9 })
  await studio.make()
  await expect(cards(page)).toHaveCount(1)
  await studio.prompt.fill('a blue cube')
  await studio.seed.fill('5')
  await studio.length.fill('17')
  await act(page, 0, 'Restore settings')
  await expect(studio.prompt).toHaveValue(PROMPT)
  await expect(studio.seed).toHaveValue('1')
  await expect(studio.length).toHaveValue('9')
  await expect(studio.steps).toHaveValue('2')
  await expect(studio.preview).toHaveAttribute('data-state', 'done')
})

test('what was decoded survives a tab that is closed in the middle of a take', async ({ studio }) => {
  const { page } = studio
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 1, steps: 64, length: 129 })
  await studio.generate.click()
  await expect(cards(page)).toHaveCount(1)
  await expect(studio.preview).toHaveAttribute('data-state', 'running')
  await page.close({ runBeforeUnload: false })
  const again = await page.context().newPage()
  await again.goto(`/?model=${FIXTURE}&backend=wasm`)
  await expect(cards(again)).toHaveCount(1)
  await expect(cards(again)).toContainText('unfinished')
  await cards(again).getByRole('button', { name: /^Open/ }).click()
  await expect(again.getByTestId('preview')).not.toHaveAttribute('data-frames', '0')
})

test('two takes play side by side, in step', async ({ studio }) => {
  const { page } = studio
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 1, steps: 1, length: 9 })
  await studio.make()
  await studio.steps.fill('3')
  await expect(cards(page)).toHaveCount(2)
  await studio.finished()
  await act(page, 0, 'Compare')
  await act(page, 1, 'Compare')
  await region(page).getByRole('button', { name: 'Compare', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Compare takes' })
  const sides = dialog.getByRole('img')
  await expect(sides).toHaveCount(2)
  await dialog.getByRole('button', { name: 'Pause both' }).click()
  for (const time of ['0.26', '0.5', '0.01']) {
    await dialog.getByRole('slider', { name: 'Time in both takes' }).fill(time)
    const frame = String(Math.floor(Number(time) * 16))
    await expect(sides.nth(0)).toHaveAttribute('data-frame', frame)
    await expect(sides.nth(1)).toHaveAttribute('data-frame', frame)
  }
  await page.keyboard.press('Escape')
  await expect(dialog).toBeHidden()
})

test('a take travels as one file', async ({ studio, browser }) => {
  const { page } = studio
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 1, steps: 2, length: 9 })
  await studio.make()
  await expect(cards(page)).toHaveCount(1)
  const digest = await studio.digest()
  const download = page.waitForEvent('download')
  await act(page, 0, 'Save as file')
  const file = await download
  expect(file.suggestedFilename()).toBe('a-red-ball-bouncing-on-grass-seed1-2steps.anyflow')
  const buffer = await readFile(await file.path())

  const other = await browser.newContext({ serviceWorkers: 'block' })
  const elsewhere = await other.newPage()
  await elsewhere.goto(new URL(`/?model=${FIXTURE}&backend=wasm&test=1`, page.url()).href)
  const choosing = elsewhere.waitForEvent('filechooser')
  await region(elsewhere).getByRole('button', { name: 'Import takes' }).click()
  await (await choosing).setFiles({ name: 'take.anyflow', mimeType: '', buffer })
  await expect(cards(elsewhere)).toHaveCount(1)
  await expect(cards(elsewhere)).toBeInViewport()
  await expect(region(elsewhere)).toContainText(`Imported “${PROMPT}”.`)
  await cards(elsewhere).getByRole('button', { name: /^Open/ }).click()
  await expect(elsewhere.getByTestId('preview')).toHaveAttribute('data-frames', '9')
  expect(await elsewhere.evaluate(() => window.__anyflow!.digest())).toBe(digest)
  await other.close()
})

test('a thumbnail plays under the pointer and under the focus', async ({ studio }) => {
  const { page } = studio
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 1, steps: 1, length: 9 })
  await studio.make()
  await expect(cards(page).locator('img')).toBeVisible()
  const canvas = cards(page).locator('canvas')
  await expect(canvas).toBeHidden()
  await cards(page).hover()
  await expect(canvas).toBeVisible()
  await page.mouse.move(5, 5)
  await expect(canvas).toBeHidden()
  await cards(page).getByRole('button', { name: /^Open/ }).focus()
  await expect(canvas).toBeVisible()
})

test.describe('with a finger', () => {
  test.use({ hasTouch: true })

  test('a thumbnail plays while the menu of its card is open', async ({ studio }) => {
    const { page } = studio
    await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 1, steps: 1, length: 9 })
    await studio.make()
    await cards(page)
      .getByRole('button', { name: /^Actions/ })
      .tap()
    await expect(page.getByRole('menu')).toBeVisible()
    // By its class: what is behind a menu has no role.
    await expect(page.locator('.take canvas')).toBeVisible()
  })
})
