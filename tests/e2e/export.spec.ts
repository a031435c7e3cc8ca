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
