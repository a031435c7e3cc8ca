import { readFile } from 'node:fs/promises'

import type { Locator, Page } from '@playwright/test'

import { readMp4 } from './support/mp4'
import { FIXTURE, PROMPT } from './support/studio'
import { expect, test } from './support/test'

const take = { model: FIXTURE, prompt: PROMPT, seed: 3, steps: 1, length: 9 }

async function options(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: 'Export options' }).click()
  return page.getByRole('dialog', { name: 'Export options' })
}

test('codec, scale, loops and range are what the file has', async ({ studio }) => {
  const { page } = studio
  await studio.open(take)
  await studio.make()
  const dialog = await options(page)
  await dialog.getByRole('radio', { name: 'VP9' }).click()
  await dialog.getByRole('radio', { name: '2x' }).click()
  await dialog.getByRole('slider', { name: 'Loops' }).fill('3')
  await dialog.getByRole('slider', { name: 'First frame' }).fill('2')
  await dialog.getByRole('slider', { name: 'Last frame' }).fill('5')
  await expect(dialog).toContainText('MP4: 128 x 128, 0.8 s')
  await page.keyboard.press('Escape')
  const download = page.waitForEvent('download')
  await studio.exportButton.click()
  const mp4 = await readMp4(await download)
  expect(mp4).toMatchObject({ codec: 'vp9', width: 128, height: 128 })
  await expect(page.getByText(/^Exported 12 frames as VP9, .*, enlarged on the CPU\.$/)).toBeVisible()
  expect(mp4.packets).toHaveLength(12)

  await page.reload()
  await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
  await studio.make()
  await expect((await options(page)).getByRole('radio', { name: 'VP9' })).toBeChecked()
})

test('a dropped export gives its settings back', async ({ studio }) => {
  const { page } = studio
  await studio.open(take)
  await studio.make()
  const download = page.waitForEvent('download')
  await studio.exportButton.click()
  const bytes = await readFile(await (await download).path())
  await studio.prompt.fill('a blue cube')
  await studio.seed.fill('99')
  await studio.length.fill('17')
  await drop(page, 'clip.mp4', bytes)
  await expect(studio.prompt).toHaveValue(PROMPT)
  await expect(studio.seed).toHaveValue('3')
  await expect(studio.length).toHaveValue('9')
  await drop(page, 'other.mp4', Buffer.from('no video'))
  await expect(page.getByRole('alert')).toContainText('other.mp4 holds no settings')
})

test('a GIF and a PNG', async ({ studio }) => {
  const { page } = studio
  await studio.open(take)
  await studio.make()
  await studio.showFrame(4)
  const dialog = await options(page)
  let download = page.waitForEvent('download')
  await dialog.getByRole('button', { name: 'Export GIF' }).click()
  let file = await download
  expect(file.suggestedFilename()).toMatch(/seed3-1steps\.gif$/)
  expect((await readFile(await file.path())).toString('latin1', 0, 6)).toBe('GIF89a')

  download = page.waitForEvent('download')
  // It had closed, so that Cancel can be reached.
  await expect(dialog).toBeHidden()
  await page.getByRole('button', { name: 'Export options' }).click()
  await dialog.getByRole('button', { name: 'Save frame as PNG' }).click()
  file = await download
  expect(file.suggestedFilename()).toMatch(/-frame4\.png$/)
  const png = (await readFile(await file.path())).toString('base64')
  const pixels = await page.evaluate(async (data) => {
    const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob())
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!
    context.drawImage(bitmap, 0, 0)
    return [...context.getImageData(0, 0, bitmap.width, bitmap.height).data]
  }, png)
  expect(pixels, 'the PNG is the frame').toEqual(await studio.frame(4))
})

test('where files can be chosen, the MP4 grows on disk, and a cancelled one leaves nothing', async ({
  studio,
}) => {
  const { page } = studio
  await page.addInitScript(() => {
    // A picker that answers with a file of the origin's own; the app then streams as it would to a real one.
    Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false })
    Object.assign(globalThis, {
      showSaveFilePicker: async () => {
        const root = await navigator.storage.getDirectory()
        return root.getFileHandle('clip.mp4', { create: true })
      },
    })
  })
  await studio.open(take)
  await studio.make()
  await studio.exportButton.click()
  await expect(page.getByTestId('export-message')).toContainText('Exported 9 frames')
  const read = (): Promise<number[]> =>
    page.evaluate(async () => {
      const root = await navigator.storage.getDirectory()
      const file = await (await root.getFileHandle('clip.mp4', { create: true })).getFile()
      return [...new Uint8Array(await file.arrayBuffer())]
    })
  const bytes = await read()
  const mp4 = await readMp4(Buffer.from(bytes))
  expect(mp4.packets).toHaveLength(9)

  const dialog = await options(page)
  await dialog.getByRole('radio', { name: '4x' }).click()
  await dialog.getByRole('slider', { name: 'Loops' }).fill('20')
  await page.keyboard.press('Escape')
  await studio.exportButton.click()
  await page.getByRole('button', { name: 'Cancel export' }).click()
  await expect(page.getByTestId('export-message')).toHaveText('Export cancelled.')
  expect((await read()).length, 'the file from before is untouched').toBe(bytes.length)
})

test('a long GIF says how far it is and can be cancelled; the file that the picker made is gone', async ({
  studio,
}) => {
  const { page } = studio
  await page.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false })
    Object.assign(globalThis, {
      showSaveFilePicker: async () => {
        const root = await navigator.storage.getDirectory()
        return root.getFileHandle('new.gif', { create: true })
      },
    })
  })
  await studio.open({ ...take, length: 129 })
  await studio.make()
  const dialog = await options(page)
  await dialog.getByRole('radio', { name: '4x' }).click()
  await dialog.getByRole('button', { name: 'Export GIF' }).click()
  const progress = page.getByRole('progressbar', { name: 'Export' })
  await expect(progress).toHaveAttribute('aria-valuenow', /^\d+$/)
  await page.getByRole('button', { name: 'Cancel export' }).click()
  await expect(page.getByTestId('export-message')).toHaveText(
    /^Export cancelled\. The empty new\.gif was removed\./,
  )
  await expect(progress).toHaveCount(0)
  const names = await page.evaluate(async () => {
    const found: string[] = []
    for await (const name of (await navigator.storage.getDirectory()).keys()) found.push(name)
    return found
  })
  expect(names).not.toContain('new.gif')
})

test('an export chosen in the gallery gives its settings back, whatever the task', async ({ studio }) => {
  const { page } = studio
  await studio.open(take)
  await studio.make()
  const download = page.waitForEvent('download')
  await studio.exportButton.click()
  const path = await (await download).path()
  const buffer = await readFile(path)
  await studio.prompt.fill('a blue cube')
  await page.getByRole('tab', { name: 'Image' }).click()
  const choose = async (name: string, content: Buffer): Promise<void> => {
    const choosing = page.waitForEvent('filechooser')
    await page.getByRole('button', { name: 'Import takes' }).click()
    await (await choosing).setFiles({ name, mimeType: 'video/mp4', buffer: content })
  }
  await choose('clip.mp4', buffer)
  await expect(studio.prompt).toHaveValue(PROMPT)
  await expect(studio.seed).toHaveValue('3')
  await choose('other.mp4', Buffer.from('no video'))
  await expect(page.getByRole('alert')).toContainText('other.mp4 holds no settings')
})

test('what is held of a take without an end can be exported while it runs', async ({ studio }) => {
  const { page } = studio
  await studio.open(take)
  await page.getByRole('switch', { name: 'Endless' }).press('Space')
  await studio.generate.click()
  await expect.poll(() => studio.frames(), { timeout: 30_000 }).toBeGreaterThan(20)
  let download = page.waitForEvent('download')
  await studio.exportButton.click()
  const bytes = await readFile(await (await download).path())
  expect((await readMp4(bytes)).packets.length).toBeGreaterThan(20)
  const dialog = await options(page)
  download = page.waitForEvent('download')
  await dialog.getByRole('button', { name: 'Export GIF' }).click()
  expect((await download).suggestedFilename()).toMatch(/\.gif$/)
  expect(await page.evaluate(() => window.__anyflow!.take().phase)).toBe('running')
  await studio.stop.click()
  await expect(studio.preview).toHaveAttribute('data-state', 'done')
  const endless = page.getByRole('switch', { name: 'Endless' })
  await endless.press('Space')
  await expect(endless).not.toBeChecked()
  await drop(page, 'clip.mp4', bytes)
  await expect(endless).toBeChecked()
})

async function drop(page: Page, name: string, bytes: Buffer): Promise<void> {
  await page.evaluate(
    ({ name: fileName, data }) => {
      const content = Uint8Array.from(atob(data), (c) => c.charCodeAt(0))
      const transfer = new DataTransfer()
      transfer.items.add(new File([content], fileName))
      for (const type of ['dragover', 'drop']) {
        document.body.dispatchEvent(
          new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }),
        )
      }
    },
    { name, data: bytes.toString('base64') },
  )
}
