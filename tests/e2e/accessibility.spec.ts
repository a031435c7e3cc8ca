/** axe over every state of the page, in both themes, wide and narrow. */

import { expectAccessible } from './support/axe'
import { FIXTURE, PROMPT } from './support/studio'
import { expect, test } from './support/test'

const TAKE = { model: FIXTURE, prompt: PROMPT, seed: 5, steps: 1, length: 9 }

// A colour on its way from one theme to the other has no contrast to speak of.
test.use({ contextOptions: { reducedMotion: 'reduce' } })

test('empty, and each dialog and popover over it', async ({ studio }) => {
  const { page } = studio
  await studio.open({ model: FIXTURE })
  await expectAccessible(page, 'empty')
  for (const name of ['Models', 'About']) {
    await page.getByRole('button', { name, exact: true }).click()
    await expect(page.getByRole('dialog', { name })).toBeVisible()
    await expectAccessible(page, name)
    await page.keyboard.press('Escape')
  }
  await page.getByTestId('backend').click()
  await expect(page.getByTestId('backend-reason')).toBeVisible()
  await expectAccessible(page, 'backend')
})

test('each task', async ({ studio }) => {
  await studio.open({ model: FIXTURE })
  for (const name of ['Image', 'Continue']) {
    await studio.page.getByRole('tab', { name }).click()
    await expectAccessible(studio.page, name)
  }
})

test('generating', async ({ studio }) => {
  await studio.open(TAKE)
  // Without an end, it lasts as long as it is looked at.
  await studio.page.getByRole('switch', { name: 'Endless' }).press('Space')
  await studio.generate.click()
  await expect.poll(() => studio.frames()).toBeGreaterThan(0)
  await expectAccessible(studio.page, 'generating')
  await expect(studio.preview).toHaveAttribute('data-state', 'running')
})

test('finished, with its gallery, export options, menus and comparison', async ({ studio }) => {
  const { page } = studio
  await studio.open(TAKE)
  await studio.make()
  await studio.make()
  const gallery = page.getByRole('region', { name: 'Gallery' })
  await expect(gallery.getByRole('listitem')).toHaveCount(2)
  await page.getByRole('button', { name: 'Show measurements' }).click()
  await expectAccessible(page, 'finished')

  await page.getByRole('button', { name: 'Export options' }).click()
  await expect(page.getByRole('dialog', { name: 'Export options' })).toBeVisible()
  await expectAccessible(page, 'export options')
  await page.keyboard.press('Escape')
  const download = page.waitForEvent('download')
  await studio.exportButton.click()
  await download
  await expectAccessible(page, 'exported')

  await page.getByRole('button', { name: 'Show all takes' }).click()
  for (const i of [0, 1]) {
    await gallery
      .getByRole('button', { name: /^Actions/ })
      .nth(i)
      .click()
    if (i === 0) await expectAccessible(page, 'menu of a take')
    await page.getByRole('menuitem', { name: 'Compare' }).click()
  }
  await gallery.getByRole('button', { name: 'Compare', exact: true }).click()
  await expect(page.getByRole('dialog', { name: 'Compare takes' }).getByRole('img')).toHaveCount(2)
  await expectAccessible(page, 'comparison')
  await page.keyboard.press('Escape')

  await gallery
    .getByRole('button', { name: /^Actions/ })
    .first()
    .click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await expect(gallery.getByRole('button', { name: 'Undo' })).toBeVisible()
  await expectAccessible(page, 'a take deleted')
})

test('sweep', async ({ studio }) => {
  await studio.open(TAKE)
  await studio.page.getByRole('button', { name: 'Step sweep' }).click()
  await expect(studio.page.getByRole('button', { name: /^Keep / })).toHaveCount(6, { timeout: 60_000 })
  await studio.finished()
  await expectAccessible(studio.page, 'sweep')
})

test('refine', async ({ studio }) => {
  await studio.open(TAKE)
  await studio.make()
  await studio.page.getByRole('button', { name: 'Refine' }).click()
  await expect(studio.page.getByRole('slider', { name: 'Divider' })).toBeVisible()
  await expectAccessible(studio.page, 'refine')
})

test('errors: of a request, of a link, of a model', async ({ studio }) => {
  const { page } = studio
  await studio.open({ ...TAKE, prompt: '', seed: 'x' })
  await studio.generate.click()
  await expect(studio.preview).toHaveAttribute('data-state', 'error')
  await expect(page.getByRole('alert')).toBeVisible()
  await expectAccessible(page, 'a refused request under a notice')
  await studio.goto({ model: '/fixtures/none/' })
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible()
  await expectAccessible(page, 'no model')
})
