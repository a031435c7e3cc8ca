/** The whole way with keys alone: no click, no focus() and no fill() in this file. */

import type { Locator, Page } from '@playwright/test'

import { readMp4 } from './support/mp4'
import { FIXTURE, PROMPT } from './support/studio'
import { expect, test } from './support/test'

/** More Tab stops than the page has. */
const STOPS = 60

/** Presses Tab until the focus is on a control, and sees that the focus shows. */
async function tabTo(page: Page, control: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let i = 0; i < STOPS; i++) {
    await page.keyboard.press(key)
    if (!(await control.evaluate((element) => element === document.activeElement))) continue
    const ring = await control.evaluate((element) => {
      // A slider's input is unseen: its thumb shows the focus.
      const shows = element.closest('[data-focus-visible], [data-focused]') ?? element
      return getComputedStyle(shows).boxShadow
    })
    expect(ring, 'the focus can be seen').not.toBe('none')
    return
  }
  throw new Error(`${String(control)} was not reached in ${STOPS} presses of ${key}`)
}

test('generate, scrub, sweep and export with keys only', async ({ studio }) => {
  const { page } = studio
  const { keyboard } = page
  await studio.open({ model: FIXTURE, seed: 5, steps: 1, length: 9 })

  await tabTo(page, studio.prompt)
  await keyboard.type(PROMPT)
  await tabTo(page, studio.steps)
  await keyboard.press('ArrowRight')
  await expect(studio.steps).toHaveValue('2')
  await keyboard.press('Home')
  await expect(studio.steps).toHaveValue('1')
  await tabTo(page, studio.length)
  await keyboard.press('ArrowRight')
  await expect(studio.length).toHaveValue('17')
  await tabTo(page, studio.generate)
  await keyboard.press('Enter')
  await studio.finished()
  expect(await studio.frames()).toBe(17)

  const frame = page.getByRole('slider', { name: 'Frame' })
  await tabTo(page, frame, 'Shift+Tab')
  await keyboard.press('Home')
  await expect(frame).toHaveValue('0')
  await keyboard.press('ArrowRight')
  await keyboard.press('ArrowRight')
  await expect(frame).toHaveValue('2')
  await keyboard.press('ArrowLeft')
  await expect(frame).toHaveValue('1')
  await keyboard.press('End')
  await expect(frame).toHaveValue('16')
  await tabTo(page, page.getByRole('button', { name: 'Play' }))
  await keyboard.press('Space')
  await expect(page.getByRole('button', { name: 'Pause' })).toBeFocused()
  await keyboard.press('Space')
  await expect(page.getByRole('button', { name: 'Play' })).toBeFocused()

  await tabTo(page, page.getByRole('button', { name: 'Step sweep' }))
  await keyboard.press('Space')
  const tiles = page.getByRole('button', { name: /^Keep / })
  await expect(tiles).toHaveCount(6, { timeout: 60_000 })
  await studio.finished()
  await tabTo(page, tiles.nth(2), 'Shift+Tab')
  await keyboard.press('Enter')
  await expect(page.getByRole('region', { name: 'Sweep' })).toHaveCount(0)
  await expect(studio.steps).toHaveValue('4')
  // Where the sweep was, not the top of the page.
  await keyboard.press('Tab')
  await expect(page.getByRole('region', { name: 'Timeline' }).locator(':focus')).toHaveCount(1)

  await tabTo(page, page.getByRole('button', { name: 'Export options' }))
  await keyboard.press('Enter')
  const options = page.getByRole('dialog', { name: 'Export options' })
  await tabTo(page, options.getByRole('radio', { name: '1x' }))
  await keyboard.press('ArrowRight')
  await keyboard.press('Space')
  await expect(options.getByRole('radio', { name: '2x' })).toBeChecked()
  await keyboard.press('Escape')
  await expect(page.getByRole('button', { name: 'Export options' })).toBeFocused()
  await tabTo(page, studio.exportButton, 'Shift+Tab')
  const download = page.waitForEvent('download')
  await keyboard.press('Enter')
  const mp4 = await readMp4(await download)
  expect(mp4).toMatchObject({ width: 128, height: 128 })
  expect(mp4.packets).toHaveLength(17)
})

test('Stop, the theme and every dialog with keys only, and the focus comes back', async ({ studio }) => {
  const { page } = studio
  const { keyboard } = page
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 5, steps: 1, length: 9 })
  for (const name of ['Models', 'About']) {
    const button = page.getByRole('button', { name, exact: true })
    await tabTo(page, button)
    await keyboard.press('Enter')
    await expect(page.locator('[role=dialog]:is(:focus, :has(:focus))')).toHaveCount(1)
    await keyboard.press('Escape')
    await expect(button).toBeFocused()
  }
  await tabTo(page, page.getByRole('switch', { name: 'Endless' }))
  await keyboard.press('Space')
  await tabTo(page, studio.generate)
  await keyboard.press('Enter')
  await expect(studio.stop).toBeFocused()
  await expect.poll(() => studio.frames()).toBeGreaterThan(9)
  await keyboard.press('Enter')
  await expect(studio.preview).toHaveAttribute('data-state', 'done')
  await expect(studio.generate).toBeFocused()
})
