/** Video without an end. */

import { FIXTURE, PROMPT } from './support/studio'
import { expect, test } from './support/test'

test('Endless goes on until it is stopped, follows the prompt, and what is held can be exported', async ({
  studio,
}) => {
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 3, steps: 1, length: 9 })
  await studio.page.getByRole('switch', { name: 'Endless' }).press('Space')
  await expect(studio.length).toBeDisabled()
  await studio.generate.click()
  await expect(studio.status).toHaveText(/^Chunk \d+, step 1 of 1$/, { timeout: 30_000 })
  await studio.prompt.fill('a blue cube on snow')
  // Past the 17 chunks of the fixture's window.
  await expect.poll(() => studio.frames(), { timeout: 90_000 }).toBeGreaterThan(150)
  expect(await studio.page.evaluate(() => window.__anyflow!.take().phase)).toBe('running')
  await expect(studio.page.getByTestId('prompt-mark')).toHaveAccessibleName(
    /^From chunk \d+: a blue cube on snow$/,
  )
  await studio.stop.click()
  await expect(studio.preview).toHaveAttribute('data-state', 'done')
  const frames = await studio.frames()
  expect(frames).toBeGreaterThan(150)
  expect(await studio.frame(frames - 1)).toHaveLength(64 * 64 * 4)
  const download = studio.page.waitForEvent('download')
  await studio.exportButton.click()
  expect((await download).suggestedFilename()).toMatch(/\.mp4$/)
  // A take with an end works as before.
  const endless = await studio.digest()
  await studio.page.getByRole('switch', { name: 'Endless' }).press('Space')
  await studio.make()
  expect(await studio.frames()).toBe(9)

  await studio.page.reload()
  await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
  const card = studio.page.getByRole('region', { name: 'Gallery' }).getByRole('listitem').nth(1)
  await expect(card).toContainText('endless')
  await card.getByRole('button', { name: /^Open/ }).click()
  await expect(studio.preview).toHaveAttribute('data-frames', String(frames))
  expect(await studio.digest(), 'as it was when it was stopped').toBe(endless)
  await expect(studio.page.getByTestId('prompt-mark')).toHaveAccessibleName(
    /^From chunk \d+: a blue cube on snow$/,
  )
})
