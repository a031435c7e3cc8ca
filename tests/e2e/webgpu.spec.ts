/**
 * The tiny fixture on WebGPU, which SwiftShader emulates here: slow, but the same code path as on a real GPU. Compiling
 * shaders in software takes most of the time, so one page serves all of these tests, in order.
 */

import type { Page } from '@playwright/test'

import { readMp4 } from './support/mp4'
import { FIXTURE, installHook, meanError, PROMPT, StudioPage } from './support/studio'
import { expect, test } from './support/test'

const FRAMES = 9
const TAKE = { model: FIXTURE, prompt: PROMPT, seed: 7, steps: 2, length: FRAMES }

/** Compiling for a software adapter takes 45 s of processor time; other work may share the processor. */
const LOAD_MS = 400_000
const TAKE_MS = 120_000

test.describe.configure({ mode: 'serial', timeout: LOAD_MS + 2 * TAKE_MS })

let page: Page
let studio: StudioPage
let gpuFrames: number[][] = []
let gpuGiven: number[][] = []

async function open(backend: string): Promise<void> {
  await studio.goto({ ...TAKE, backend })
  await expect(studio.status).toHaveText('Ready', { timeout: LOAD_MS })
}

async function make(timeout = TAKE_MS): Promise<void> {
  await studio.generate.click()
  await expect(studio.preview).toHaveAttribute('data-state', 'done', { timeout })
}

/** Drops a picture of two halves on the page. */
async function giveImage(): Promise<void> {
  await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(64, 64)
    const context = canvas.getContext('2d')!
    context.fillStyle = '#e02020'
    context.fillRect(0, 0, 32, 64)
    context.fillStyle = '#2040e0'
    context.fillRect(32, 0, 32, 64)
    const transfer = new DataTransfer()
    transfer.items.add(new File([await canvas.convertToBlob()], 'halves.png', { type: 'image/png' }))
    document.body.dispatchEvent(
      new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: transfer }),
    )
  })
  await expect(page.getByRole('img', { name: 'halves.png' })).toBeVisible()
}

async function allFrames(): Promise<number[][]> {
  const frames: number[][] = []
  for (let i = 0; i < FRAMES; i++) frames.push(await studio.frame(i))
  return frames
}

function largestError(a: readonly number[], b: readonly number[]): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0)
}

test.beforeAll(async ({ browser }) => {
  page = await browser.newPage()
  await installHook(page)
  studio = new StudioPage(page)
  await open('webgpu')
})

test.afterAll(async () => {
  await page.close()
})

test('says that WebGPU is in use and why, and makes the same bytes twice', async () => {
  const { backend } = await page.evaluate(() => window.__anyflow!.loaded()!)
  expect(backend).toMatchObject({ backend: 'webgpu', label: 'WebGPU' })
  expect(backend.reason).toMatch(/self-test passed/)
  await make()
  const digest = await studio.digest()
  const gpuBytes = () => page.evaluate(() => window.__anyflow!.take().timings?.gpuBytes ?? 0)
  const held = await gpuBytes()
  // The weights alone.
  expect(held).toBeGreaterThan(100_000)
  await make()
  expect(await studio.digest()).toBe(digest)
  expect(await gpuBytes(), 'a second take holds no more').toBeLessThan(1.02 * held)
  gpuFrames = await allFrames()
  // Frames that are all grey would agree with anything.
  expect(meanError(gpuFrames[0]!, gpuFrames[FRAMES - 1]!)).toBeGreaterThan(2)
})

test("the canvas shows what WGSL drew from the decoder's own buffer", async () => {
  await studio.seek(4)
  await expect
    .poll(() => page.evaluate(() => window.__anyflow!.take().preview))
    .toMatchObject({ frame: 4, playing: false })
  const canvas = await studio.canvasPixels()
  expect(canvas).toMatchObject({ width: 64, height: 64 })
  // The page's compositor may show it one display frame later.
  await expect
    .poll(async () => largestError((await studio.canvasPixels()).rgba, gpuFrames[4]!))
    .toBeLessThanOrEqual(1)
})

test('an export is enlarged on the GPU, as the CPU would do it', async () => {
  await page.getByRole('button', { name: 'Export options' }).click()
  await page.getByRole('radio', { name: '2x' }).click()
  await page.keyboard.press('Escape')
  const download = page.waitForEvent('download')
  await studio.exportButton.click()
  const mp4 = await readMp4(await download)
  expect(mp4).toMatchObject({ width: 128, height: 128 })
  expect(mp4.packets).toHaveLength(FRAMES)
  // It says so only after the first frame was compared with the CPU's.
  await expect(page.getByText(/, enlarged on the GPU\.$/)).toBeVisible()
  await page.getByRole('button', { name: 'Export options' }).click()
  await page.getByRole('radio', { name: '1x' }).click()
  await page.keyboard.press('Escape')
})

test('Stop takes effect within a pass, and the next take works', async () => {
  await studio.length.fill('33')
  await studio.generate.click()
  await expect(studio.status).toHaveText(/Chunk 2 of 5/, { timeout: TAKE_MS })
  const { stopMs, slowest } = await page.evaluate(async () => {
    const canvas = document.querySelector<HTMLElement>('[data-testid=preview]')!
    const hook = window.__anyflow!
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
    // Three passes or decodes, to know how long one takes now.
    let slowest = 0
    for (let i = 0; i < 3; i++) {
      const { progress } = hook.take()
      const from = performance.now()
      while (hook.take().progress === progress) await sleep(2)
      slowest = Math.max(slowest, performance.now() - from)
    }
    const from = performance.now()
    document.querySelector<HTMLElement>('button[aria-label=Stop]')!.click()
    while (canvas.dataset['state'] === 'running') await sleep(2)
    return { stopMs: performance.now() - from, slowest }
  })
  expect(stopMs).toBeLessThan(Math.max(200, 2 * slowest))
  await studio.length.fill(String(FRAMES))
  await make()
  expect(await studio.frames()).toBe(FRAMES)
})

test('a lost device is reported, what was decoded stays, and the next take starts it again', async () => {
  await studio.length.fill('129')
  // All in the page, and in a long take: asked from here, the take could be over before the device goes.
  const frame = await page.evaluate(
    () =>
      new Promise<number[]>((resolve, reject) => {
        const canvas = document.querySelector<HTMLElement>('[data-testid=preview]')!
        const hook = window.__anyflow!
        const destroy = async (): Promise<number[]> => {
          const { rgba } = await hook.getFrame(8)
          await hook.destroyDevice()
          return [...rgba]
        }
        const observer = new MutationObserver(() => {
          if (canvas.dataset['state'] !== 'running' || Number(canvas.dataset['frames']) < 9) return
          observer.disconnect()
          destroy().then(resolve, reject)
        })
        observer.observe(canvas, { attributes: true })
        document.querySelector<HTMLElement>('button[aria-label=Generate]')!.click()
      }),
  )
  await expect(studio.status).toHaveText(/device was lost.*Press Generate/, { timeout: 30_000 })
  await expect(studio.preview).toHaveAttribute('data-state', 'error')
  expect(await studio.frame(8)).toEqual(frame)
  await studio.seek(8)
  await expect
    .poll(async () => largestError((await studio.canvasPixels()).rgba, frame))
    .toBeLessThanOrEqual(1)
  const download = page.waitForEvent('download')
  await studio.exportButton.click()
  expect((await download).suggestedFilename()).toMatch(/\.mp4$/)

  await studio.length.fill(String(FRAMES))
  await make(LOAD_MS)
  const { backend } = await page.evaluate(() => window.__anyflow!.loaded()!)
  expect(backend.backend).toBe('webgpu')
  expect(await allFrames()).toEqual(gpuFrames)
})

test('a given image begins the take', async () => {
  await giveImage()
  // The first such take compiles the encoder's shaders.
  await make(LOAD_MS)
  gpuGiven = await allFrames()
  expect(meanError(gpuGiven[0]!, gpuFrames[0]!)).toBeGreaterThan(2)
  await page.getByRole('tab', { name: 'Text' }).click()
})

test("WASM's frames equal WebGPU's", async () => {
  await open('wasm')
  await make()
  const wasmFrames = await allFrames()
  gpuFrames.forEach((frame, i) => {
    expect(meanError(frame, wasmFrames[i]!), `mean error of frame ${i}`).toBeLessThan(0.25)
    expect(largestError(frame, wasmFrames[i]!), `largest error of frame ${i}`).toBeLessThanOrEqual(3)
  })
})

test("WASM's frames equal WebGPU's after a given image too", async () => {
  await giveImage()
  await make()
  const wasmFrames = await allFrames()
  gpuGiven.forEach((frame, i) => {
    expect(meanError(frame, wasmFrames[i]!), `mean error of frame ${i}`).toBeLessThan(0.25)
    expect(largestError(frame, wasmFrames[i]!), `largest error of frame ${i}`).toBeLessThanOrEqual(3)
  })
})
