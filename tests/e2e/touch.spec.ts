import type { Locator } from '@playwright/test'

import { FIXTURE, PROMPT } from './support/studio'
import { expect, test } from './support/test'

test.use({ hasTouch: true, isMobile: true, viewport: { width: 360, height: 780 } })

/** Taps in a slider's track. @param share how far along, 0..1 */
async function tapTrack(slider: Locator, track: string, share: number): Promise<void> {
  const line = slider.locator(`xpath=ancestor::*[contains(@class, "${track}")]`)
  await line.scrollIntoViewIfNeeded()
  const { width, height } = (await line.boundingBox())!
  await line.tap({ position: { x: width * share, y: height / 2 } })
}

test('a take is set, made, scrubbed and exported with a finger', async ({ studio }) => {
  const { page } = studio
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 2, steps: 4, length: 17 })
  await page.getByRole('button', { name: /Draft/ }).tap()
  await expect(studio.steps).toHaveValue('1')
  await tapTrack(studio.steps, 'slider-track', 0.5)
  await expect.poll(async () => Number(await studio.steps.inputValue())).toBeGreaterThan(28)
  expect(Number(await studio.steps.inputValue())).toBeLessThan(36)
  await page.getByRole('button', { name: /Draft/ }).tap()
  await studio.generate.tap()
  await studio.finished()
  await tapTrack(page.getByRole('slider', { name: 'Frame' }), 'filmstrip-track', 0.75)
  await expect(page.getByRole('slider', { name: 'Frame' })).toHaveValue('12')
  const download = page.waitForEvent('download')
  await studio.exportButton.tap()
  expect((await download).suggestedFilename()).toMatch(/\.mp4$/)
})
