import { PROMPT, studentParams } from './support/studio'
import { expect, test } from './support/test'

test('makes a take at 1, 3 and 7 steps with the bundled model', async ({ studio }) => {
  await studio.open({ ...studentParams, seed: 1 })
  await expect(studio.preview).toHaveAttribute('data-state', 'idle')
  await studio.prompt.fill(PROMPT)
  const digests = new Set<string>()
  for (const steps of [1, 3, 7]) {
    await studio.steps.fill(String(steps))
    await studio.make()
    const wanted = await studio.page.evaluate(() => window.__anyflow!.take().request)
    expect(wanted).toMatchObject({ prompt: PROMPT, steps, seed: 1 })
    expect(await studio.frames()).toBe(wanted!.frames)
    expect(wanted!.frames).toBeGreaterThan(8)
    digests.add(await studio.digest())
  }
  expect(digests.size, 'each number of steps gives its own video').toBe(3)
})

test('shows frames while the rest is being made, with the state in words', async ({ studio }) => {
  await studio.open({ ...studentParams, seed: 2, prompt: PROMPT, steps: 8, length: 33 })
  await studio.page.evaluate(() => {
    const log: string[][] = []
    Object.assign(window, { log })
    const canvas = document.querySelector<HTMLElement>('[data-testid=preview]')!
    const status = document.querySelector<HTMLElement>('[role=status]')!
    new MutationObserver(() =>
      log.push([canvas.dataset['state']!, canvas.dataset['frames']!, status.textContent]),
    ).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })
  })
  await studio.make()
  const log = await studio.page.evaluate(() => (window as unknown as { log: string[][] }).log)
  const running = log.filter(([state]) => state === 'running')
  const total = await studio.frames()
  expect(new Set(running.map(([, frames]) => frames)).size, 'frames come in several parts').toBeGreaterThan(2)
  expect(running.some(([, frames]) => Number(frames) > 0 && Number(frames) < total)).toBe(true)
  expect(running.map(([, , text]) => text)).toContain('Chunk 2 of 5, step 8 of 8')
  for (const [, , text] of running)
    expect(text).toMatch(/^(Starting \.\.\.|Chunk \d+ of \d+, step \d+ of 8|Ready)$/)
})

test('plays by itself, pauses, and seeks', async ({ studio }) => {
  await studio.open({ ...studentParams, seed: 2, prompt: PROMPT, steps: 1 })
  await studio.make()
  const preview = () => studio.page.evaluate(() => window.__anyflow!.take().preview)
  const seen = new Set<number>()
  await expect.poll(async () => seen.add((await preview()).frame).size).toBeGreaterThan(4)
  await studio.page.keyboard.press('Escape')
  await studio.preview.click()
  await studio.page.keyboard.press('Space')
  await expect.poll(async () => (await preview()).playing).toBe(false)
  await studio.showFrame(3)
  expect((await preview()).frame).toBe(3)
})
