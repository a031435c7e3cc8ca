import type { Page } from '@playwright/test'

import { FIXTURE, PROMPT } from './support/studio'
import { expect, test } from './support/test'

const take = { model: FIXTURE, prompt: PROMPT, seed: 1, steps: 1, length: 17 }
const preview = (page: Page) => page.evaluate(() => window.__anyflow!.take().preview)

test('the strip shows the chunks and their pictures, and seeks', async ({ studio }) => {
  const { page } = studio
  await studio.open(take)
  await studio.make()
  const timeline = page.getByRole('region', { name: 'Timeline' })
  await expect(timeline.getByTestId('chunks').locator('[data-done=true]')).toHaveCount(3)
  const pictures = timeline.locator('.filmstrip-pictures canvas:not([hidden])')
  for (const width of [360, 1280, 2560]) {
    await page.setViewportSize({ width, height: 800 })
    const strip = (await timeline.locator('.filmstrip-track').boundingBox())!
    const count = Math.min(17, Math.round(strip.width / strip.height / 1.35))
    await expect(pictures, `a strip of ${strip.width} pixels`).toHaveCount(count)
  }
  await page.setViewportSize({ width: 1280, height: 800 })
  const slider = timeline.getByRole('slider', { name: 'Frame' })
  await studio.seek(9)
  await expect.poll(async () => (await preview(page)).frame).toBe(9)
  const box = (await timeline.locator('.filmstrip-track').boundingBox())!
  await page.mouse.click(box.x + box.width - 2, box.y + box.height / 2)
  await expect(slider).toHaveValue('16')
  await timeline.getByRole('button', { name: 'Previous frame' }).click()
  await expect(slider).toHaveValue('15')
  await timeline.getByRole('button', { name: 'Next frame' }).click()
  await expect(slider).toHaveValue('16')
})

test('keys move through the clip', async ({ studio }) => {
  const { page } = studio
  await studio.open(take)
  await studio.make()
  const slider = page.getByRole('slider', { name: 'Frame' })
  await studio.preview.click()
  await page.keyboard.press('k')
  await page.keyboard.press('Home')
  await expect(slider).toHaveValue('0')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowRight')
  await expect(slider).toHaveValue('2')
  await page.keyboard.press('ArrowLeft')
  await expect(slider).toHaveValue('1')
  await page.keyboard.press('End')
  await expect(slider).toHaveValue('16')
  await page.keyboard.press('l')
  await expect.poll(async () => (await preview(page)).playing).toBe(true)
  await page.keyboard.press('l')
  await expect(page.getByRole('button', { name: 'Speed, 2x' })).toBeVisible()
  await page.keyboard.press('j')
  await expect(page.getByRole('button', { name: 'Speed, -1x' })).toBeVisible()
  await page.keyboard.press('k')
  await expect.poll(async () => (await preview(page)).playing).toBe(false)
  await studio.prompt.focus()
  await page.keyboard.type('jkl')
  await expect(studio.prompt).toHaveValue(new RegExp('jkl'))
  expect((await preview(page)).playing, 'letters in the prompt are letters').toBe(false)
})

test('the strip takes hold of a clip that plays, also on the frame where it stands', async ({ studio }) => {
  const { page } = studio
  await studio.open(take)
  await studio.make()
  const slider = page.getByRole('slider', { name: 'Frame' })
  const play = page.getByRole('button', { name: 'Play' })
  // At a quarter of the speed a frame stands for 250 ms: Home is pressed on the first.
  await page.getByRole('button', { name: /^Speed/ }).click()
  await page.getByRole('menuitemradio', { name: '0.25x' }).click()
  for (const key of ['Home', 'End']) {
    await studio.seek(key === 'Home' ? 0 : 16)
    await play.click()
    await slider.press(key)
    await expect(play).toBeVisible()
    await expect(slider).toHaveValue(key === 'Home' ? '0' : '16')
  }
  await play.click()
  const box = (await slider.locator('xpath=ancestor::*[@class="filmstrip-track"]').boundingBox())!
  await page.mouse.click(box.x + box.width - 2, box.y + box.height / 2)
  await expect(play).toBeVisible()
  await expect(slider).toHaveValue('16')
})

test('without a loop the clip ends, and Play starts it again', async ({ studio }) => {
  const { page } = studio
  await studio.open({ ...take, length: 9 })
  await studio.make()
  await page.getByRole('button', { name: 'Loop' }).click()
  await expect(page.getByRole('button', { name: 'Play' })).toBeVisible()
  expect((await preview(page)).frame).toBe(8)
  await page.getByRole('button', { name: 'Speed, 1x' }).click()
  await page.getByRole('menuitemradio', { name: '0.25x' }).click()
  await page.getByRole('button', { name: 'Play' }).click()
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible()
  await expect.poll(async () => (await preview(page)).frame).toBeLessThan(8)
})

test('measurements can be shown over the picture, and stay on', async ({ studio }) => {
  const { page } = studio
  await studio.open(take)
  await studio.make()
  const hud = page.getByTestId('hud')
  await expect(hud).toBeHidden()
  await page.getByRole('button', { name: 'Show measurements' }).click()
  await expect(hud).toContainText(/Pass[\d.]+ m?s/)
  await expect(hud).toContainText(/Frames a second[\d.]+/)
  await expect(hud).toContainText(/First frame[\d.]+ m?s/)
  await expect(hud).toContainText(/BackendWASM/)
  await expect(hud).toContainText(/Memory[\d.]+ MB/)
  // The numbers let the pointer through.
  await studio.preview.click({ position: { x: 20, y: 20 } })
  await page.reload()
  await expect(hud).toBeVisible()
})

test('keys go on from a strip that was scrubbed', async ({ studio }) => {
  const { page } = studio
  await studio.open(take)
  await studio.make()
  const strip = page.getByRole('region', { name: 'Timeline' }).locator('.filmstrip-track')
  const box = (await strip.boundingBox())!
  await page.mouse.click(box.x + box.width / 3, box.y + box.height / 2)
  await expect(page.getByRole('slider', { name: 'Frame' })).toBeFocused()
  await page.keyboard.press('Space')
  await expect.poll(async () => (await preview(page)).playing).toBe(true)
  await page.keyboard.press('k')
  await expect.poll(async () => (await preview(page)).playing).toBe(false)
  await page.keyboard.press('h')
  await expect(page.getByTestId('hud')).toBeVisible()
})

test('a take made after J plays forwards', async ({ studio }) => {
  const { page } = studio
  await studio.open(take)
  await studio.make()
  await studio.preview.click()
  await page.keyboard.press('j')
  await expect(page.getByRole('button', { name: 'Speed, -1x' })).toBeVisible()
  await studio.make()
  await expect(page.getByRole('button', { name: 'Speed, 1x' })).toBeVisible()
})

test('full screen shows the stage with its controls', async ({ studio }) => {
  const { page } = studio
  await studio.open(take)
  const button = page.getByRole('button', { name: 'Full screen' })
  await button.click()
  await expect(button).toHaveAttribute('aria-pressed', 'true')
  expect(await page.evaluate(() => document.fullscreenElement?.className)).toBe('stage')
  // Menus open where they can be seen.
  await page.getByRole('button', { name: /^Speed/ }).click()
  await expect(page.locator('.stage').getByRole('menuitemradio', { name: '2x' })).toBeVisible()
  await page.keyboard.press('Escape')
  await button.click()
  await expect(button).toHaveAttribute('aria-pressed', 'false')
})
