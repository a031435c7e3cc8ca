import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Locator, Page } from '@playwright/test'

import { FIXTURE, PROMPT } from './support/studio'
import { expect, test } from './support/test'

async function models(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: 'Models', exact: true }).click()
  return page.getByRole('dialog', { name: 'Models' })
}

test('a model shows its size, memory, licence, and its speed once measured', async ({ studio }) => {
  const { page } = studio
  await studio.open({ model: FIXTURE, prompt: PROMPT, steps: 2, length: 9 })
  let item = (await models(page)).getByRole('listitem', { name: 'Tiny fixture' })
  await expect(item).toContainText('In use')
  await expect(item).toContainText(/Size[\d.]+ (k|M)B/)
  await expect(item).toContainText(/Memoryabout [\d.]+ (k|M)B, computed/)
  await expect(item).toContainText('LicenceCC0-1.0')
  await expect(item).toContainText('not measured yet')
  await page.keyboard.press('Escape')
  await studio.make()
  item = (await models(page)).getByRole('listitem', { name: 'Tiny fixture' })
  await expect(item).toContainText(/Speed[\d.]+ m?s a pass, [\d.]+ frames a second at 2 steps \(WASM/)
})

test('a model is completed and deleted', async ({ studio }) => {
  const { page } = studio
  await studio.open({ model: FIXTURE, prompt: PROMPT, steps: 1, length: 9 })
  const item = (await models(page)).getByRole('listitem', { name: 'Tiny fixture' })
  // Loading leaves the encoder out.
  await expect(item).toContainText(/\d+% in this browser/)
  await item.getByRole('button', { name: 'Finish download' }).click()
  await expect(item).toContainText(', in this browser')
  const remove = item.getByRole('button', { name: 'Delete from browser' })
  const question = page.getByRole('alertdialog', { name: 'Delete this model?' })
  await remove.click()
  await expect(question).toContainText(/[\d.]+ (k|M)B/)
  await question.getByRole('button', { name: 'Keep' }).click()
  await expect(question).toBeHidden()
  await expect(item).toContainText(', in this browser')
  await remove.click()
  await question.getByRole('button', { name: 'Delete' }).click()
  await expect(item).toBeHidden()
  expect(
    await page.evaluate(async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('models')
      let files = 0
      for await (const _ of folder.keys()) files++
      return files
    }),
  ).toBe(0)
})

test('a broken download goes on where it stopped', async ({ studio }) => {
  const { page } = studio
  const ranges: (string | undefined)[] = []
  // The first answer claims more than it sends, as a connection that breaks; then ranges are served.
  await page.context().route('**/fixtures/tiny/transformer.bin', async (route) => {
    const range = route.request().headers()['range']
    ranges.push(range)
    const body = await (await route.fetch({ headers: {} })).body()
    if (ranges.length === 1) {
      await route.abort('connectionreset')
      return
    }
    const from = range ? Number(/bytes=(\d+)-/.exec(range)![1]) : 0
    await route.fulfill({
      status: from > 0 ? 206 : 200,
      contentType: 'application/octet-stream',
      headers: from > 0 ? { 'Content-Range': `bytes ${from}-${body.length - 1}/${body.length}` } : {},
      body: body.subarray(from),
    })
  })
  await page.addInitScript(() => {
    // What an earlier visit had received of it.
    Object.assign(globalThis, {
      seedPart: async (hash: string, bytes: number[]) => {
        const cache = await caches.open('anyflow-model-parts-1')
        await cache.put(`/.anyflow-model-parts/${hash}/0`, new Response(Uint8Array.from(bytes)))
      },
    })
  })
  await page.goto('/?model=/fixtures/none/')
  await page.evaluate(async (base) => {
    const manifest = (await (await fetch(`${base}manifest.json`)).json()) as {
      files: { path: string; sha256: string }[]
    }
    const { sha256 } = manifest.files.find(({ path }) => path === 'decoder.bin')!
    const whole = new Uint8Array(await (await fetch(`${base}decoder.bin`)).arrayBuffer())
    const { seedPart } = globalThis as unknown as {
      seedPart: (hash: string, bytes: number[]) => Promise<void>
    }
    await seedPart(sha256, [...whole.subarray(0, 1000)])
  }, FIXTURE)
  const resumed = page.waitForRequest(
    (request) => request.url().endsWith('decoder.bin') && request.headers()['range'] === 'bytes=1000-',
  )
  await studio.open({ model: FIXTURE, prompt: PROMPT, steps: 1, length: 9 })
  await resumed
  expect(ranges, 'one connection broke, the next one was tried by itself').toHaveLength(2)
  await studio.make()
})

/** Another origin for the same server; CORS as a model host sends it. */
async function otherSite(page: Page, baseURL: string): Promise<string> {
  const other = baseURL.replace('localhost', '127.0.0.1')
  await page.context().route(`${other}/**`, async (route) => {
    const response = await page.context().request.get(route.request().url().replace(other, baseURL))
    await route.fulfill({
      response,
      headers: { ...response.headers(), 'access-control-allow-origin': '*' },
    })
  })
  return other
}

async function addFolder(page: Page, dialog: Locator, folder: string): Promise<void> {
  const choosing = page.waitForEvent('filechooser')
  await dialog.getByRole('button', { name: 'Add from folder' }).click()
  await (await choosing).setFiles(folder)
}

async function addAddress(dialog: Locator, address: string): Promise<void> {
  await dialog.getByRole('textbox', { name: 'Add a model from an address' }).fill(address)
  await dialog.getByRole('button', { name: 'Add from address' }).click()
}

test('a model being added shows at once how far it is, and can be stopped', async ({ studio, baseURL }) => {
  const { page } = studio
  const other = await otherSite(page, baseURL!)
  // One file never comes.
  await page.context().route(`${other}/**/transformer.bin`, () => undefined)
  await studio.goto({ model: '/fixtures/none/' })
  const dialog = await models(page)
  await addAddress(dialog, `${other}${FIXTURE}`)
  const adding = dialog.getByRole('listitem', { name: 'Model being added' })
  await expect(adding).toContainText(`${other}${FIXTURE}`)
  await expect(adding.getByRole('progressbar', { name: 'Download' })).toBeVisible()
  await expect(adding).toContainText(/[\d.]+ (k|M)B of [\d.]+ (k|M)B/)
  await adding.getByRole('button', { name: 'Stop download' }).click()
  await expect(adding).toBeHidden()
  const item = dialog.getByRole('listitem', { name: 'Tiny fixture' })
  await expect(item).toContainText(/\d+% in this browser/)
  await expect(item.getByRole('button', { name: 'Finish download' })).toBeVisible()
  await item.getByRole('button', { name: 'Delete from browser' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click()
  await expect(item).toBeHidden()
})

test('two packages with one id: one is in use, and a folder asks before it replaces another', async ({
  studio,
}, testInfo) => {
  const { page } = studio
  const newer = testInfo.outputPath('newer')
  newerFixture(newer)

  await studio.open({ model: FIXTURE })
  const dialog = await models(page)
  await addFolder(page, dialog, join(import.meta.dirname, '../fixtures/tiny'))
  const items = dialog.getByRole('listitem', { name: 'Tiny fixture' })
  await expect(items).toHaveCount(2)
  const local = items.filter({ hasText: 'a folder on this machine' })
  await expect(items.filter({ hasText: 'In use' })).toHaveCount(1)
  await expect(local).not.toContainText('In use')
  await expect(local.getByRole('button', { name: 'Use' })).toBeVisible()

  const question = dialog.getByRole('alert').filter({ hasText: 'made 2027-01-02' })
  await addFolder(page, dialog, newer)
  await question.getByRole('button', { name: 'Keep the old one' }).click()
  await expect(question).toBeHidden()
  await expect(local).not.toContainText('2027-01-02')
  await addFolder(page, dialog, newer)
  await question.getByRole('button', { name: 'Replace' }).click()
  await expect(local).toContainText('2027-01-02')
  await expect(items).toHaveCount(2)
})

test('a folder that replaces the loaded model says that another version is in use, and can be used', async ({
  studio,
}, testInfo) => {
  const { page } = studio
  const newer = testInfo.outputPath('newer')
  newerFixture(newer)
  await studio.goto({ model: '/fixtures/none/' })
  const dialog = await models(page)
  await addFolder(page, dialog, join(import.meta.dirname, '../fixtures/tiny'))
  const item = dialog.getByRole('listitem', { name: 'Tiny fixture' })
  const use = item.getByRole('button', { name: 'Use', exact: true })
  await use.click()
  await expect(item.getByText('In use', { exact: true })).toBeVisible({ timeout: 60_000 })
  await expect(use).toBeHidden()
  await addFolder(page, dialog, newer)
  await dialog.getByRole('button', { name: 'Replace' }).click()
  await expect(item.getByText('Another version in use')).toBeVisible()
  await use.click()
  await expect(item.getByText('In use', { exact: true })).toBeVisible({ timeout: 60_000 })
  await expect(use).toBeHidden()
})

test('a take of another model than the loaded one plays, and is not made again', async ({
  studio,
}, testInfo) => {
  const { page } = studio
  const other = testInfo.outputPath('other')
  copyFixture(other, (manifest) =>
    manifest.replace(/"id": "[^"]+"/, '"id": "other"').replace(/"name": "Tiny[^"]*"/, '"name": "Another"'),
  )
  await studio.open({ model: FIXTURE, prompt: PROMPT, steps: 2, length: 9 })
  await studio.make()
  const made = await studio.digest()
  const refine = page.getByRole('button', { name: 'Refine' })
  await expect(refine).toBeEnabled()

  const dialog = await models(page)
  await addFolder(page, dialog, other)
  const item = dialog.getByRole('listitem', { name: 'Another' })
  await item.getByRole('button', { name: 'Use', exact: true }).click()
  await expect(item.getByText('In use', { exact: true })).toBeVisible({ timeout: 60_000 })
  await page.keyboard.press('Escape')
  await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
  await expect(refine).toBeDisabled()
  await studio.steps.fill('3')
  await studio.showFrame(8)
  expect(await studio.digest(), 'Steps leave the take as it is').toBe(made)

  await studio.make()
  await expect(refine).toBeEnabled()
  expect(await page.evaluate(() => window.__anyflow!.take().shown?.request.steps)).toBe(3)
})

/** The fixture with another manifest. */
function copyFixture(folder: string, change: (manifest: string) => string): void {
  cpSync(join(import.meta.dirname, '../fixtures/tiny'), folder, { recursive: true })
  const manifest = join(folder, 'manifest.json')
  writeFileSync(manifest, change(readFileSync(manifest, 'utf8')))
}

/** The fixture as made on another day. */
function newerFixture(folder: string): void {
  copyFixture(folder, (manifest) => manifest.replace(/"date": "[\d-]+"/, '"date": "2027-01-02"'))
}

test('a model from a folder', async ({ studio }) => {
  const { page } = studio
  await studio.goto({ model: '/fixtures/none/' })
  const dialog = await models(page)
  await addFolder(page, dialog, join(import.meta.dirname, '../fixtures/tiny'))
  const item = dialog.getByRole('listitem', { name: 'Tiny fixture' })
  await expect(item).toContainText(', in this browser')
  await item.getByRole('button', { name: 'Use' }).click()
  await expect(page.getByTestId('preview')).toHaveAttribute('data-state', 'idle', { timeout: 60_000 })
  await page.keyboard.press('Escape')
  await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
  await expect(page).toHaveURL(/anyflow-local/)
})

test('a model from another site can be added by hand, but not by a link', async ({ studio, baseURL }) => {
  const { page } = studio
  const other = await otherSite(page, baseURL!)
  await studio.goto({ model: `${other}${FIXTURE}` })
  await expect(studio.status).toHaveText(/another site/)
  const dialog = await models(page)
  await addAddress(dialog, 'http://example.org/m/')
  await expect(dialog.getByRole('alert')).toContainText('https://')
  await addAddress(dialog, `${other}${FIXTURE}`)
  const item = dialog.getByRole('listitem', { name: 'Tiny fixture' })
  await expect(item).toContainText(', in this browser')
  await page.keyboard.press('Escape')
  await page.reload()
  await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
})
