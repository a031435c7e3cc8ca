/** Image to video and continuation, by the names of DESIGN.md section 4. */

import type { Page } from '@playwright/test'

import { findChromium } from '../../scripts/lib/chromium.mjs'
import { heldSideways } from './support/exif'
import { greyJpeg } from './support/jpeg'
import { FIXTURE, meanError, PROMPT, type StudioPage } from './support/studio'
import { expect, test } from './support/test'

const executablePath = findChromium()

// A camera that is always there: Chromium's own test picture.
test.use({
  launchOptions: {
    ...(executablePath ? { executablePath } : {}),
    args: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
  },
})

const OPEN = { model: FIXTURE, prompt: PROMPT, seed: 3, steps: 1, length: 9 }

/** A picture of two halves, drawn by the browser. */
function drawPicture(page: Page, width: number, height: number, type: string): Promise<number[]> {
  return page.evaluate(
    async ([w, h, mime]) => {
      const canvas = new OffscreenCanvas(w, h)
      const context = canvas.getContext('2d')!
      context.fillStyle = '#e02020'
      context.fillRect(0, 0, w / 2, h)
      context.fillStyle = '#2040e0'
      context.fillRect(w / 2, 0, w / 2, h)
      const blob = await canvas.convertToBlob({ type: mime })
      return [...new Uint8Array(await blob.arrayBuffer())]
    },
    [width, height, type] as const,
  )
}

async function pickImage(studio: StudioPage, name: string, mimeType: string, bytes: Uint8Array | number[]) {
  await studio.page.getByRole('tab', { name: 'Image' }).click()
  const chooser = studio.page.waitForEvent('filechooser')
  await studio.page.getByRole('button', { name: /Choose/ }).click()
  await (await chooser).setFiles({ name, mimeType, buffer: Buffer.from(bytes) })
}

function givenOf(studio: StudioPage): Promise<number | undefined> {
  return studio.page.evaluate(() => window.__anyflow!.take().shown?.request.given?.length)
}

/** Sums of the given frames' bytes: the same for the same frames. */
function givenSums(studio: StudioPage): Promise<number[]> {
  return studio.page.evaluate(() =>
    (window.__anyflow!.take().shown?.request.given ?? []).map((rgba) => rgba.reduce((a, b) => a + b, 0)),
  )
}

test('an image becomes the first moment of the take', async ({ studio }) => {
  await studio.open(OPEN)
  await pickImage(studio, 'halves.png', 'image/png', await drawPicture(studio.page, 300, 100, 'image/png'))
  const crop = studio.page.getByRole('slider', { name: 'Crop' })
  await crop.fill('0')
  await studio.make()
  expect(await studio.frames()).toBe(9)
  expect(await givenOf(studio)).toBe(1)
  await expect(studio.page.getByTestId('given')).toHaveAttribute('data-given', '1')
  const left = await studio.frame(0)
  await crop.fill('100')
  await studio.make()
  expect(meanError(await studio.frame(0), left), 'the part is the one that was chosen').toBeGreaterThan(0)
  // Back to text: nothing is given, nothing is marked.
  await studio.page.getByRole('tab', { name: 'Text' }).click()
  await studio.make()
  expect(meanError(await studio.frame(0), left)).toBeGreaterThan(0)
  await expect(studio.page.getByTestId('given')).toHaveCount(0)
})

test('images come by drop and paste too, in any format the browser decodes', async ({ studio }) => {
  await studio.open(OPEN)
  for (const [how, type] of [
    ['drop', 'image/webp'],
    ['paste', 'image/jpeg'],
  ] as const) {
    const bytes = await drawPicture(studio.page, 40, 90, type)
    await studio.page.evaluate(
      ([event, mime, data]) => {
        const transfer = new DataTransfer()
        transfer.items.add(new File([Uint8Array.from(data)], `${event}.img`, { type: mime }))
        const init = { bubbles: true, cancelable: true }
        document.body.dispatchEvent(
          event === 'drop'
            ? new DragEvent('drop', { ...init, dataTransfer: transfer })
            : new ClipboardEvent('paste', { ...init, clipboardData: transfer }),
        )
      },
      [how, type, bytes] as const,
    )
    await expect(studio.page.getByRole('tab', { name: 'Image' })).toHaveAttribute('aria-selected', 'true')
    await expect(studio.page.getByRole('img', { name: `${how}.img` })).toBeVisible()
  }
  await studio.make()
  expect(await givenOf(studio)).toBe(1)
})

test('a paste into the prompt is text, when the clipboard has a picture of it as well', async ({
  studio,
}) => {
  await studio.open(OPEN)
  const left = await studio.prompt.evaluate((field) => {
    const transfer = new DataTransfer()
    transfer.setData('text/plain', 'a red\tball')
    transfer.items.add(new File([], 'image.png', { type: 'image/png' }))
    const init = { bubbles: true, cancelable: true, clipboardData: transfer }
    // True where nobody has prevented what the browser does with it.
    return field.dispatchEvent(new ClipboardEvent('paste', init))
  })
  expect(left).toBe(true)
  await expect(studio.page.getByRole('tab', { name: 'Text' })).toHaveAttribute('aria-selected', 'true')
})

test('Generate waits for the picture that is being read; Stop ends the waiting', async ({ studio }) => {
  const { page } = studio
  await studio.open(OPEN)
  await pickImage(studio, 'old.png', 'image/png', await drawPicture(page, 300, 100, 'image/png'))
  await page.getByRole('slider', { name: 'Crop' }).fill('0')
  const halves = await drawPicture(page, 64, 64, 'image/png')
  await page.evaluate(() => {
    const decode = createImageBitmap as (...given: unknown[]) => Promise<ImageBitmap>
    const gate = new Promise<void>((open) => addEventListener('test-gate', () => open()))
    const slow = (...given: unknown[]) => gate.then(() => decode(...given))
    Object.assign(window, { createImageBitmap: slow })
  })
  await pickImage(studio, 'slow.png', 'image/png', halves)
  await studio.generate.click()
  await expect(studio.status).toHaveText('Starting ...')
  await studio.stop.click()
  await expect(studio.status).toHaveText('Ready')
  await studio.generate.click()
  await page.evaluate(() => dispatchEvent(new Event('test-gate')))
  await studio.finished()
  // Red on the left in both; blue on the right in the new one alone.
  const right = await page.evaluate(() => [
    ...window.__anyflow!.take().shown!.request.given![0]!.slice(60 * 4, 60 * 4 + 3),
  ])
  expect(right[2]).toBeGreaterThan(2 * right[0]!)
})

test('after a refused request, moving Steps makes the shown take again', async ({ studio }) => {
  await studio.open(OPEN)
  await studio.make()
  await studio.prompt.fill('')
  await studio.generate.click()
  await expect(studio.status).toHaveText(/prompt is empty/)
  await studio.prompt.fill('a blue cube on snow')
  await studio.steps.fill('2')
  await expect
    .poll(() => studio.page.evaluate(() => window.__anyflow!.take().shown?.request))
    .toMatchObject({ prompt: PROMPT, steps: 2 })
  await studio.finished()
})

test('restoring a take that was made from text goes back to the Text task', async ({ studio }) => {
  const { page } = studio
  await studio.open(OPEN)
  await studio.make()
  await pickImage(studio, 'cat.png', 'image/png', await drawPicture(page, 64, 64, 'image/png'))
  await expect(page.getByRole('img', { name: 'cat.png' })).toBeVisible()
  await page.getByRole('button', { name: /^Actions for/ }).click()
  await page.getByRole('menuitem', { name: 'Restore settings' }).click()
  await expect(page.getByRole('tab', { name: 'Text' })).toHaveAttribute('aria-selected', 'true')
  await studio.make()
  expect(await givenOf(studio)).toBeUndefined()
})

test('a photo whose camera was held sideways stands upright', async ({ studio }) => {
  await studio.open(OPEN)
  // Red on the left and blue on the right; turned clockwise, red is on top.
  const photo = heldSideways(await drawPicture(studio.page, 160, 80, 'image/jpeg'))
  await pickImage(studio, 'phone.jpg', 'image/jpeg', photo)
  await expect(studio.page.getByRole('img', { name: 'phone.jpg' })).toBeVisible()
  await studio.make()
  const [top, bottom] = await studio.page.evaluate(() => {
    const { width, height } = window.__anyflow!.take().shown!
    const rgba = window.__anyflow!.take().shown!.request.given![0]!
    const at = (row: number): number[] => {
      const start = (row * width + width / 2) * 4
      return [...rgba.slice(start, start + 3)]
    }
    return [at(2), at(height - 3)]
  })
  expect(top[0], 'red on top').toBeGreaterThan(2 * top[2]!)
  expect(bottom[2], 'blue below').toBeGreaterThan(2 * bottom[0]!)
})

test("the camera's picture can be used", async ({ studio }) => {
  await studio.page.context().grantPermissions(['camera'])
  await studio.open(OPEN)
  await studio.page.getByRole('tab', { name: 'Image' }).click()
  await studio.page.getByRole('button', { name: 'Camera' }).click()
  await studio.page.getByRole('button', { name: 'Take the picture' }).click()
  await expect(studio.page.getByRole('img', { name: 'Camera picture' })).toBeVisible()
  await studio.make()
  expect(await givenOf(studio)).toBe(1)
})

test('what is no image is refused in words, and the next one works', async ({ studio }) => {
  await studio.open(OPEN)
  await studio.page.getByRole('tab', { name: 'Image' }).click()
  await studio.generate.click()
  await expect(studio.status).toHaveText(/Choose an image first/)
  const error = studio.page.getByTestId('source-error')
  const png = await drawPicture(studio.page, 64, 64, 'image/png')
  await pickImage(studio, 'song.mp3', 'audio/mpeg', [0xff, 0xfb, 0x90, 0x64, 0, 0, 0, 0])
  await expect(error).toContainText('"song.mp3" is not an image')
  await pickImage(studio, 'broken.png', 'image/png', png.slice(8, 60))
  await expect(error).toContainText('"broken.png" is not an image')
  await pickImage(studio, 'empty.jpg', 'image/jpeg', [])
  await expect(error).toContainText('"empty.jpg" is not an image')
  await pickImage(studio, 'good.png', 'image/png', png)
  await expect(error).toHaveCount(0)
  await expect(studio.status).toHaveText('Ready')
  await studio.make()
  expect(await givenOf(studio)).toBe(1)
})

test('a JPEG of 100 megapixels is scaled down, not choked on', async ({ studio }) => {
  await studio.open(OPEN)
  await pickImage(studio, 'huge.jpg', 'image/jpeg', greyJpeg(12_500, 8000))
  await expect(studio.page.getByRole('img', { name: 'huge.jpg' })).toBeVisible({ timeout: 60_000 })
  // 64 pixels high: 12500 / 8000 * 64 wide.
  await expect(studio.page.getByRole('img', { name: 'huge.jpg' })).toHaveAttribute('width', '100')
  await studio.make()
  expect(await givenOf(studio)).toBe(1)
})

test('a take goes on from the shown one, from the cut point', async ({ studio }) => {
  await studio.open({ ...OPEN, length: 17 })
  await studio.make()
  await studio.page.getByRole('tab', { name: 'Continue' }).click()
  const cut = studio.page.getByRole('slider', { name: 'Cut point' })
  await expect(cut).toHaveValue('17')
  await studio.make()
  expect(await givenOf(studio)).toBe(9)
  await expect(studio.page.getByTestId('given')).toHaveAttribute('data-given', '9')
  expect(await studio.frames()).toBe(17)
  const end = await studio.digest()
  await cut.fill('10')
  await studio.make()
  expect(await givenOf(studio)).toBe(9)
  expect(await studio.digest()).not.toBe(end)
})

test('Continue goes on from the clip that it names, until the shown take is asked for', async ({
  studio,
}) => {
  const { page } = studio
  await studio.open({ ...OPEN, length: 17 })
  await studio.make()
  await page.getByRole('tab', { name: 'Continue' }).click()
  const panel = page.getByRole('tabpanel', { name: 'Continue' })
  const useShown = page.getByRole('button', { name: 'Use the shown take' })
  await expect(panel).toContainText(`“${PROMPT}”`)
  await expect(panel).toContainText('Seed 3, the shown take')
  await expect(useShown).toBeDisabled()
  await studio.make()
  await expect(panel).toContainText('Seed 3, not the shown take')
  // Pressed while it is open, the tab takes nothing up.
  await page.getByRole('tab', { name: 'Continue' }).click()
  await expect(panel).toContainText('Seed 3, not the shown take')
  await expect(useShown).toBeEnabled()
  const first = await givenSums(studio)
  await studio.seed.fill('4')
  await studio.make()
  expect(await givenSums(studio), 'the same clip with another seed').toEqual(first)
  await useShown.click()
  await expect(panel).toContainText('Seed 4, the shown take')
  await studio.make()
  expect(await givenSums(studio)).not.toEqual(first)
})

test('Endless goes on from a clip whatever the Length, and says when it cannot use the prompt', async ({
  studio,
}) => {
  const { page } = studio
  await studio.open({ ...OPEN, length: 1 })
  await studio.make()
  await page.getByRole('tab', { name: 'Continue' }).click()
  const panel = page.getByRole('tabpanel', { name: 'Continue' })
  await expect(panel).toContainText('Choose a longer Length')
  await page.getByRole('switch', { name: 'Endless' }).press('Space')
  await expect(panel).toContainText('new ones follow until you stop')
  await studio.generate.click()
  await expect.poll(() => studio.frames(), { timeout: 60_000 }).toBeGreaterThan(1)
  const note = page.getByText(/The running take keeps its last prompt/)
  await expect(note).toHaveCount(0)
  await studio.prompt.fill('')
  await expect(note).toBeVisible()
  await expect(studio.prompt).toHaveAccessibleDescription(/keeps its last prompt until you type one here/)
  await studio.prompt.fill('a blue cube on snow')
  await expect(note).toHaveCount(0)
  await studio.stop.click()
  await studio.finished()
})

test('a model without an encoder says so on the tabs that need one', async ({ studio }) => {
  const { page } = studio
  await page.context().route('**/fixtures/tiny/manifest.json', async (route) => {
    const response = await route.fetch()
    const manifest = (await response.json()) as { graphs: { encoder?: unknown } }
    delete manifest.graphs.encoder
    await route.fulfill({ response, json: manifest })
  })
  await studio.open(OPEN)
  for (const name of ['Image', 'Continue']) {
    await page.getByRole('tab', { name }).click()
    const panel = page.getByRole('tabpanel', { name })
    await expect(panel).toHaveText(/no encoder.*Text tab.*Models/)
    await expect(panel.getByRole('button')).toHaveCount(0)
    await studio.generate.click()
    await expect(studio.status).toHaveText(/no encoder/)
  }
  await page.getByRole('tab', { name: 'Text' }).click()
  await expect(studio.status).toHaveText('Ready')
  await studio.make()
})

test('a take goes on from an MP4 that was exported before', async ({ studio }) => {
  await studio.open({ ...OPEN, length: 17 })
  await studio.make()
  const download = studio.page.waitForEvent('download')
  await studio.exportButton.click()
  const path = await (await download).path()
  await studio.page.reload()
  await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
  await studio.page.getByRole('tab', { name: 'Continue' }).click()
  const chooser = studio.page.waitForEvent('filechooser')
  await studio.page.getByRole('button', { name: 'Open a video' }).click()
  await (await chooser).setFiles(path)
  await expect(studio.page.getByRole('slider', { name: 'Cut point' })).toHaveValue('17')
  await studio.make()
  expect(await givenOf(studio)).toBe(9)
  expect(await studio.frames()).toBe(17)
})

test('what is no video is refused in words', async ({ studio }) => {
  await studio.open(OPEN)
  await studio.page.getByRole('tab', { name: 'Continue' }).click()
  const chooser = studio.page.waitForEvent('filechooser')
  await studio.page.getByRole('button', { name: 'Open a video' }).click()
  await (await chooser).setFiles({ name: 'no.mp4', mimeType: 'video/mp4', buffer: Buffer.alloc(500, 1) })
  await expect(studio.page.getByTestId('source-error')).toContainText('"no.mp4" is not a video')
  await studio.generate.click()
  await expect(studio.status).toHaveText(/Choose a clip/)
})
