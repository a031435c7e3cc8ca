/** What goes wrong in the world: nothing crashes, nothing made is lost, each says what happened and what to do. */

import { dropFile, film, halvesPng, silentWav } from './support/files'
import { greyJpeg } from './support/jpeg'
import { FIXTURE, PROMPT, type StudioPage } from './support/studio'
import { expect, test } from './support/test'

const TAKE = { model: FIXTURE, prompt: PROMPT, seed: 3, steps: 1, length: 9 }

const cards = (studio: StudioPage) =>
  studio.page.getByRole('region', { name: 'Gallery' }).getByRole('listitem')
const givenOf = (studio: StudioPage) =>
  studio.page.evaluate(() => window.__anyflow!.take().shown?.request.given?.length)

/** What the origin may store from now on, bytes: the browser's own quota, so its own errors. */
async function setQuota({ page }: StudioPage, quotaSize?: number): Promise<void> {
  const cdp = await page.context().newCDPSession(page)
  const { origin } = new URL(page.url())
  await cdp.send('Storage.overrideQuotaForOrigin', {
    origin,
    ...(quotaSize === undefined ? {} : { quotaSize }),
  })
}

test('files dropped: a 100-megapixel JPEG, a damaged PNG, a sound, a 4K film', async ({ studio }) => {
  const { page } = studio
  await studio.open(TAKE)
  await studio.make()
  const made = await studio.digest()

  const error = page.getByTestId('source-error')
  const png = await halvesPng(page, 64, 64)
  await dropFile(page, 'damaged.png', 'image/png', png.slice(0, png.length / 2))
  await expect(error).toContainText(/"damaged.png" is not an image.*Choose a JPEG, PNG/)

  await dropFile(page, 'huge.jpg', 'image/jpeg', greyJpeg(12_500, 8000))
  await expect(page.getByRole('img', { name: 'huge.jpg' })).toBeVisible({ timeout: 60_000 })
  await expect(error).toHaveCount(0)

  // On the tab of images the sound is no image; on that of text it is nothing the app knows.
  await dropFile(page, 'song.wav', 'audio/wav', silentWav())
  await expect(error).toContainText('"song.wav" is not an image')
  await page.getByRole('tab', { name: 'Text' }).click()
  await dropFile(page, 'song.wav', 'audio/wav', silentWav())
  await expect(page.getByRole('alert')).toContainText(
    /song\.wav cannot be opened here\. Drop an image, a video/,
  )
  expect(await studio.digest(), 'the take is still there').toBe(made)

  await dropFile(page, 'film.mp4', 'video/mp4', await film(page, 3840, 2160, 12))
  await expect(page.getByRole('slider', { name: 'Cut point' })).toHaveValue('12', { timeout: 60_000 })
  await studio.length.fill('17')
  await studio.make()
  expect(await givenOf(studio)).toBe(9)
  expect(await studio.frames()).toBe(17)
})

test('a tab that crashes in the middle of a take keeps what was decoded', async ({ studio }) => {
  const { page } = studio
  await studio.open({ ...TAKE, steps: 64, length: 129 })
  await studio.generate.click()
  await expect(cards(studio)).toHaveCount(1)
  await expect(studio.preview).toHaveAttribute('data-state', 'running')
  const cdp = await page.context().newCDPSession(page)
  const crashed = page.waitForEvent('crash')
  // Never answered: the renderer is gone.
  cdp.send('Page.crash').catch(() => undefined)
  await crashed
  const again = await page.context().newPage()
  await again.goto(`/?model=${FIXTURE}&backend=wasm`)
  const kept = again.getByRole('region', { name: 'Gallery' }).getByRole('listitem')
  await expect(kept).toHaveCount(1)
  await expect(kept).toContainText('unfinished')
  await kept.getByRole('button', { name: /^Open/ }).click()
  await expect(again.getByTestId('preview')).not.toHaveAttribute('data-frames', '0')
  await expect(again.getByRole('button', { name: 'Export MP4' })).toBeEnabled()
})

test('a full disk: the take stays, can be exported, and is kept once there is room', async ({ studio }) => {
  const { page } = studio
  await page.goto('/favicon.svg')
  // Room for the model and a few takes.
  await setQuota(studio, 1_000_000)
  await studio.open({ ...TAKE, length: 33 })
  const full = page.getByRole('alert')
  let seed = 1
  for (; seed <= 20 && !(await full.isVisible()); seed++) {
    await studio.seed.fill(String(seed))
    await studio.make()
    await expect(cards(studio).or(full).first()).toBeVisible()
  }
  await expect(full).toContainText(/storage is full.*Delete takes to make room.*can be exported now/)
  expect(await cards(studio).count()).toBeGreaterThan(0)
  expect(await studio.frames()).toBe(33)
  const download = page.waitForEvent('download')
  await studio.exportButton.click()
  await download

  // The disk is as full when the oldest is deleted.
  await cards(studio)
    .last()
    .getByRole('button', { name: /^Actions/ })
    .click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await expect(full).toHaveCount(0)
  await expect(cards(studio).first().getByRole('button', { name: /^Open/ })).toHaveAccessibleName(
    new RegExp(`2.1 s, seed ${seed - 1}$`),
  )
})

test('a full disk without takes: deleting a model makes the room', async ({ studio }) => {
  const { page } = studio
  await studio.open({ ...TAKE, length: 9 })
  const used = await page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0)
  // Room for no take, but for one in the model's place.
  await setQuota(studio, used + 5000)
  await studio.make()
  const full = page.getByRole('alert')
  await expect(full).toContainText(/storage is full.*Delete a model.*One take waits in this tab/)
  await expect(cards(studio)).toHaveCount(0)
  await page.getByRole('button', { name: 'Models', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Models' })
  await dialog
    .getByRole('listitem', { name: 'Tiny fixture' })
    .getByRole('button', { name: 'Delete from browser' })
    .click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click()
  await page.keyboard.press('Escape')
  await expect(dialog).toBeHidden()
  await expect(full).toHaveCount(0)
  await expect(cards(studio)).toHaveCount(1)
  await expect(cards(studio)).toContainText('0.6 s')
})

test('where nothing can be stored, the model loads and a take is made all the same', async ({ studio }) => {
  const { page } = studio
  await studio.goto({ model: '/fixtures/none/' })
  await setQuota(studio, 1)
  await studio.open(TAKE)
  await studio.make()
  await expect(page.getByRole('alert')).toContainText('storage is full')
  const download = page.waitForEvent('download')
  await studio.exportButton.click()
  await download

  // The take would be lost with the tab.
  const asking = page.waitForEvent('dialog')
  await page.close({ runBeforeUnload: true })
  const dialog = await asking
  expect(dialog.type()).toBe('beforeunload')
  await dialog.dismiss()
})

test('offline: takes go on, what is not here is named, and it comes once there is a network', async ({
  studio,
}) => {
  const { page } = studio
  await studio.open(TAKE)
  await page.context().setOffline(true)
  await studio.make()
  const made = await studio.digest()

  // The encoder is fetched when it is wanted first.
  await dropFile(page, 'halves.png', 'image/png', await halvesPng(page, 64, 64))
  await studio.generate.click()
  await expect(studio.status).toHaveText(/encoder\.\w+ could not be downloaded.*Check the network/)
  expect(await studio.digest(), 'the take before is still there').toBe(made)
  await expect(studio.exportButton).toBeEnabled()

  await page.context().setOffline(false)
  await studio.make()
  expect(await givenOf(studio)).toBe(1)
})
