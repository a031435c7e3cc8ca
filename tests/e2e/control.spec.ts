import { FIXTURE, PROMPT, studentParams } from './support/studio'
import { expect, test } from './support/test'

test('Stop takes effect within 200 ms or one pass, and the next Generate works', async ({ studio }) => {
  await studio.open({ ...studentParams, seed: 4, prompt: PROMPT, steps: 64, length: 33 })
  // All in the page: from here, a small model would be done before the click arrived.
  const stopMs = await studio.page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const canvas = document.querySelector<HTMLElement>('[data-testid=preview]')!
        const status = document.querySelector<HTMLElement>('[role=status]')!
        let stopped: number | undefined
        new MutationObserver(() => {
          if (stopped === undefined && / step [3-9] of /.test(status.textContent)) {
            stopped = performance.now()
            document.querySelector<HTMLElement>('button[aria-label=Stop]')!.click()
          } else if (stopped !== undefined && canvas.dataset['state'] !== 'running') {
            resolve(performance.now() - stopped)
          }
        }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })
        document.querySelector<HTMLElement>('button[aria-label=Generate]')!.click()
      }),
  )
  const passMs = (await studio.page.evaluate(() => window.__anyflow!.take().timings?.passMs)) ?? 0
  test.info().annotations.push({
    type: 'stop',
    description: `${stopMs.toFixed(0)} ms, a pass ${passMs.toFixed(0)} ms`,
  })
  expect(stopMs).toBeLessThan(Math.max(200, 2 * passMs))
  await studio.page.keyboard.press('Control+Enter')
  await expect(studio.preview).toHaveAttribute('data-state', 'running')
  await studio.page.keyboard.press('Escape')
  await expect(studio.preview).not.toHaveAttribute('data-state', 'running')
  await studio.steps.fill('1')
  await studio.make()
  expect(await studio.page.evaluate(() => window.__anyflow!.take().shown!.complete)).toBe(true)
})

test('the same request gives the same bytes, twice and after a reload', async ({ studio }) => {
  await studio.open({ ...studentParams, seed: 5, prompt: PROMPT, steps: 3, length: 9 })
  await studio.make()
  const first = await studio.digest()
  await studio.make()
  expect(await studio.digest()).toBe(first)
  await studio.page.reload()
  await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
  await expect(studio.seed).toHaveValue('5')
  await studio.make()
  expect(await studio.digest()).toBe(first)
  await studio.seed.fill('6')
  await studio.make()
  expect(await studio.digest()).not.toBe(first)
})

test('moving Steps makes a finished take again with the same seed', async ({ studio }) => {
  await studio.open({ model: FIXTURE, prompt: PROMPT, steps: 1, length: 9 })
  await studio.make()
  const { seed } = await studio.page.evaluate(() => window.__anyflow!.take().request!)
  await expect(studio.seed).toHaveValue(String(seed))
  await studio.steps.fill('16')
  await expect
    .poll(() => studio.page.evaluate(() => window.__anyflow!.take().shown?.request))
    .toMatchObject({ steps: 16, seed })
  await studio.finished()
  await studio.make()
  const next = await studio.page.evaluate(() => window.__anyflow!.take().request!)
  expect(next.seed, 'an unlocked seed is new for each take').not.toBe(seed)
  await expect(studio.seed).toHaveValue(String(next.seed))
})

test('every step from 1 to 64 can be set, and only those', async ({ studio }) => {
  await studio.open({ model: FIXTURE })
  await studio.steps.focus()
  await studio.page.keyboard.press('Home')
  await expect(studio.steps).toHaveValue('1')
  for (let steps = 2; steps <= 64; steps++) {
    await studio.page.keyboard.press('ArrowRight')
    await expect(studio.steps).toHaveValue(String(steps))
  }
  await studio.page.keyboard.press('ArrowRight')
  await expect(studio.steps).toHaveValue('64')
})

test('the address follows the request, and a link sets it', async ({ studio }) => {
  await studio.open({ model: FIXTURE, prompt: PROMPT, seed: 12, steps: 9, length: 17 })
  await expect(studio.prompt).toHaveValue(PROMPT)
  await expect(studio.steps).toHaveValue('9')
  await expect(studio.length).toHaveValue('17')
  await expect(studio.seed).toHaveValue('12')
  await studio.prompt.fill('a blue cube')
  await studio.steps.fill('2')
  await expect(studio.page).toHaveURL(/prompt=a\+blue\+cube/)
  const params = new URL(studio.page.url()).searchParams
  expect(Object.fromEntries(params)).toMatchObject({
    prompt: 'a blue cube',
    seed: '12',
    steps: '2',
    length: '17',
    backend: 'wasm',
    model: FIXTURE,
  })
})

test('a link with bad values says so and uses the defaults', async ({ studio }) => {
  await studio.open({ model: FIXTURE, seed: 'x', steps: 99, length: 10, backend: 'cuda' })
  const notice = studio.page.getByRole('alert')
  await expect(notice).toContainText('seed "x"')
  await expect(notice).toContainText('steps "99"')
  await expect(notice).toContainText('cannot make 10 frames')
  await expect(notice).toContainText('backend "cuda"')
  await expect(studio.steps).toHaveValue('4')
  await expect(studio.length).toHaveValue('17')
})

for (const [width, height] of [
  [360, 740],
  [2560, 1440],
] as const) {
  test(`fits a window ${width} pixels wide`, async ({ studio }) => {
    await studio.page.setViewportSize({ width, height })
    await studio.open({ model: FIXTURE, prompt: PROMPT, steps: 1, length: 9 })
    await studio.make()
    const overflow = await studio.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(overflow).toBeLessThanOrEqual(0)
    for (const part of [studio.preview, studio.prompt, studio.steps, studio.seed, studio.exportButton]) {
      await part.scrollIntoViewIfNeeded()
      await expect(part).toBeInViewport({ ratio: 0.95 })
    }
    await expect(studio.generate).toBeInViewport()
  })
}
