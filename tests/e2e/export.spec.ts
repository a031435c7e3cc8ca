import { decodeEnds, readMp4 } from './support/mp4'
import { meanError, PROMPT, studentParams, type StudioPage } from './support/studio'
import { expect, test } from './support/test'

/** 8-bit levels: what H.264 at the export's bitrate and halved chroma may change, on average. */
const TOLERANCE = 4

test('exports an MP4 that plays what the canvas showed', async ({ studio }) => {
  await studio.open({ ...studentParams, seed: 3, prompt: PROMPT, steps: 2 })
  await studio.make()
  const mp4 = await exported(studio)
  const { frames, width, height, fps } = await shown(studio)

  expect(mp4.mimeType).toContain('video/mp4')
  expect(mp4.codec).toBe('avc')
  expect([mp4.width, mp4.height]).toEqual([width, height])
  expect(mp4.packets).toHaveLength(frames)
  expect(mp4.packets[0]!.key).toBe(true)
  expect(mp4.duration).toBeCloseTo(frames / fps, 3)
  mp4.packets.forEach((packet, i) => expect(packet.timestamp).toBeCloseTo(i / fps, 3))
  expect(mp4.colorSpace).toMatchObject({ primaries: 'bt709', matrix: 'bt709', fullRange: false })

  const decoded = await decodeEnds(studio.page, mp4)
  expect(decoded.count).toBe(frames)
  for (const [index, pixels] of [
    [0, decoded.first],
    [frames - 1, decoded.last],
  ] as const) {
    await studio.showFrame(index)
    const canvas = await studio.canvasPixels()
    const error = meanError(pixels, canvas.rgba)
    test
      .info()
      .annotations.push({ type: 'mean error', description: `frame ${index}: ${error.toFixed(2)} of 255` })
    expect(error).toBeLessThan(TOLERANCE)
  }
})

test('exports what there is of a take that was stopped', async ({ studio }) => {
  await studio.open({ ...studentParams, seed: 3, prompt: PROMPT, steps: 64, length: 33 })
  await studio.page.evaluate(() => {
    const canvas = document.querySelector<HTMLElement>('[data-testid=preview]')!
    new MutationObserver(() => {
      if (canvas.dataset['state'] === 'running' && Number(canvas.dataset['frames']) > 0)
        document.querySelector<HTMLElement>('button[aria-label=Stop]')?.click()
    }).observe(canvas, { attributes: true })
  })
  await studio.make()
  const { frames, request } = await shown(studio)
  expect(frames).toBeLessThan(request.frames)
  const mp4 = await exported(studio)
  expect(mp4.packets).toHaveLength(frames)
  expect((await decodeEnds(studio.page, mp4)).count).toBe(frames)
})

test('an export has the frames of its own take, whatever is made meanwhile', async ({ studio }) => {
  const { page } = studio
  await page.addInitScript(() => {
    // A picker that stays open until it is answered, with a file of the origin's own.
    Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false })
    Object.assign(globalThis, {
      showSaveFilePicker: ({ suggestedName }: { suggestedName: string }) =>
        new Promise((resolve) => {
          const answer = async (): Promise<void> => {
            const root = await navigator.storage.getDirectory()
            resolve(await root.getFileHandle(suggestedName, { create: true }))
          }
          Object.assign(globalThis, { answerPicker: () => void answer() })
        }),
    })
  })
  await studio.open({ ...studentParams, seed: 3, prompt: PROMPT, steps: 2 })
  await studio.make()
  const { frames } = await shown(studio)
  const [first, last] = [await studio.frame(0), await studio.frame(frames - 1)]
  await studio.exportButton.click()
  await studio.seed.fill('4')
  await studio.make()
  expect(meanError(await studio.frame(frames - 1), last), 'another take plays').toBeGreaterThan(0)
  await page.evaluate(() => (globalThis as unknown as { answerPicker(): void }).answerPicker())
  await expect(page.getByTestId('export-message')).toContainText(`Exported ${frames} frames`)
  const bytes = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory()
    for await (const [name, handle] of root.entries()) {
      if (!name.endsWith('seed3-2steps.mp4') || !(handle instanceof FileSystemFileHandle)) continue
      return [...new Uint8Array(await (await handle.getFile()).arrayBuffer())]
    }
    return []
  })
  const decoded = await decodeEnds(page, await readMp4(Buffer.from(bytes)))
  expect(decoded.count).toBe(frames)
  expect(meanError(decoded.first, first)).toBeLessThan(TOLERANCE)
  expect(meanError(decoded.last, last)).toBeLessThan(TOLERANCE)
})

async function exported(studio: StudioPage) {
  const download = studio.page.waitForEvent('download')
  await studio.exportButton.click()
  const file = await download
  expect(file.suggestedFilename()).toMatch(/^a-red-ball-bouncing-on-grass-seed3-\d+steps\.mp4$/)
  const mp4 = await readMp4(file)
  await expect(studio.page.getByTestId('export-message')).toContainText('H.264')
  return mp4
}

async function shown(studio: StudioPage) {
  return (await studio.page.evaluate(() => window.__anyflow!.take().shown))!
}
