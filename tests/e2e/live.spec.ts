/** What is shown while a chunk is made, and making the last chunk again. */

import { FIXTURE, PROMPT, studentParams } from './support/studio'
import { expect, test } from './support/test'

test('the picture moves from the first pass on, and no estimate stays', async ({ studio }) => {
  const { page } = studio
  await studio.open({ ...studentParams, seed: 4, prompt: PROMPT, steps: 32, length: 33 })
  // All in the page: from here, a look would take longer than a pass.
  const seen = await page.evaluate(
    () =>
      new Promise<{ before: number; badge: boolean; cell: boolean; covered: boolean }>((resolve) => {
        const canvas = document.querySelector<HTMLCanvasElement>('[data-testid=preview]')!
        const small = new OffscreenCanvas(16, 16)
        const context = small.getContext('2d', { willReadFrequently: true })!
        const pictures = new Set<string>()
        let badge = false
        let cell = false
        let covered = false
        const look = (): void => {
          context.clearRect(0, 0, 16, 16)
          context.drawImage(canvas, 0, 0, 16, 16)
          const { data } = context.getImageData(0, 0, 16, 16)
          if (canvas.dataset['frames'] === '0' && data.some((value) => value > 0)) pictures.add(data.join())
          badge ||= document.querySelector('[data-testid=estimate-badge]') !== null
          const strip = document.querySelector<HTMLElement>('[data-testid=estimate-cell]')!
          cell ||= !strip.hidden && strip.getBoundingClientRect().width > 10
          covered ||= pictures.size > 0 && canvas.dataset['frames'] === '0' && badge
          if (canvas.dataset['state'] !== 'done') requestAnimationFrame(look)
          else resolve({ before: pictures.size, badge, cell, covered })
        }
        document.querySelector<HTMLElement>('button[aria-label=Generate]')!.click()
        requestAnimationFrame(look)
      }),
  )
  expect(seen.before, 'different pictures before the first frame').toBeGreaterThanOrEqual(3)
  expect(seen).toMatchObject({ badge: true, cell: true, covered: true })
  await expect(page.getByTestId('estimate-badge')).toBeHidden()
  await expect(page.getByTestId('estimate-cell')).toBeHidden()
  expect(await studio.frames()).toBe(33)
  const { passMs, estimateMs } = await page.evaluate(() => window.__anyflow!.take().timings!)
  test.info().annotations.push({
    type: 'estimate',
    description: `${estimateMs!.toFixed(2)} ms, a pass ${passMs!.toFixed(1)} ms`,
  })
  expect(estimateMs).toBeLessThan(0.1 * passMs!)
  // What is on the canvas in the end is a frame, pixel for pixel.
  await studio.showFrame(32)
})

test('a paused take gives way to what is made, unless it is held again', async ({ studio }) => {
  const { page } = studio
  await studio.open({ ...studentParams, seed: 4, prompt: PROMPT, steps: 1, length: 33 })
  await studio.make()
  await studio.seek(5)
  await studio.steps.fill('64')
  await studio.generate.click()
  await expect(page.getByTestId('estimate-badge')).toBeVisible()
  await expect(studio.preview).toHaveAttribute('data-frames', '0')
  await page.getByRole('slider', { name: 'Frame' }).press('ArrowRight')
  await expect(page.getByTestId('estimate-badge')).toBeHidden()
  await page.keyboard.press('Escape')
})

test('a stopped first chunk leaves no estimate behind', async ({ studio }) => {
  const { page } = studio
  await studio.open({ ...studentParams, seed: 4, prompt: PROMPT, steps: 64, length: 33 })
  await studio.generate.click()
  await expect(page.getByTestId('estimate-badge')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(studio.preview).not.toHaveAttribute('data-state', 'running')
  await expect(page.getByTestId('estimate-badge')).toBeHidden()
  const { rgba } = await studio.canvasPixels()
  const { shown } = await page.evaluate(() => window.__anyflow!.take())
  // Nothing was decoded, so nothing is shown; should the click have come late, a frame is.
  expect(rgba.some((value) => value > 0)).toBe(shown !== undefined)
})

test('Redo last chunk makes the last chunk of a finished take again, and the kept take says so', async ({
  studio,
}) => {
  const { page } = studio
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 3, steps: 1, length: 17 })
  const redo = page.getByRole('button', { name: 'Redo last chunk' })
  await expect(redo).toBeDisabled()
  await studio.make()
  const [kept, old] = [await studio.frame(8), await studio.frame(9)]
  await redo.click()
  await expect
    .poll(() => page.evaluate(() => window.__anyflow!.take().shown?.request.chunkSeeds?.length))
    .toBe(1)
  await studio.finished()
  expect(await studio.frames()).toBe(17)
  expect(await studio.frame(8)).toEqual(kept)
  expect(await studio.frame(9)).not.toEqual(old)
  await expect(page.getByTestId('seed-mark')).toHaveCount(1)
  const digest = await studio.digest()
  // The kept take's settings make the same take.
  const gallery = page.getByRole('region', { name: 'Gallery' })
  await expect(gallery.getByRole('listitem')).toHaveCount(2)
  await gallery
    .getByRole('button', { name: /^Actions for/ })
    .first()
    .click()
  await page.getByRole('menuitem', { name: 'Restore settings' }).click()
  await expect(page).toHaveURL(/redo=3%3A\d+/)
  await studio.make()
  expect(await studio.digest()).toBe(digest)
})

test('Redo last chunk discards the newest chunk of an endless take, which goes on', async ({ studio }) => {
  const { page } = studio
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 3, steps: 16, length: 9 })
  await page.getByRole('switch', { name: 'Endless' }).press('Space')
  await studio.generate.click()
  await expect.poll(() => studio.frames(), { timeout: 30_000 }).toBeGreaterThan(25)
  // The coming chunk has the strip's right end, and no more.
  const [cell, strip] = await page.evaluate(() =>
    ['[data-testid=estimate-cell]', '.filmstrip-track'].map((selector) => {
      const { right, width } = document.querySelector(selector)!.getBoundingClientRect()
      return { right, width }
    }),
  )
  expect(cell!.width).toBeCloseTo(64, 0)
  expect(cell!.right).toBeCloseTo(strip!.right, 0)
  await page.getByRole('button', { name: 'Redo last chunk' }).click()
  const seeds = () => page.evaluate(() => window.__anyflow!.take().shown?.request.chunkSeeds)
  await expect.poll(async () => (await seeds())?.length).toBe(1)
  const [{ chunk } = { chunk: 0 }] = (await seeds())!
  expect(chunk).toBeGreaterThanOrEqual(3)
  await expect(page.getByTestId('seed-mark')).toHaveAttribute(
    'aria-label',
    new RegExp(`^Chunk ${chunk} has seed \\d+$`),
  )
  const after = 1 + 8 * (chunk + 1)
  await expect.poll(() => studio.frames(), { timeout: 60_000 }).toBeGreaterThan(after)
  await studio.stop.click()
  await expect(studio.preview).toHaveAttribute('data-state', 'done')
  const held = await page.evaluate(() => window.__anyflow!.take().shown!.frames)
  expect(await studio.frame(held - 1)).toHaveLength(64 * 64 * 4)
})
