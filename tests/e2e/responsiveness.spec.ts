import { longestTask } from './support/main-thread'
import { PROMPT, studentParams } from './support/studio'
import { expect, test } from './support/test'

test("no task on the page's thread takes 50 ms while a take is made and exported", async ({
  browser,
  studio,
}) => {
  await studio.open({ ...studentParams, seed: 6, prompt: PROMPT, steps: 4, length: 33 })
  const longest = await longestTask(browser, studio.page, async () => {
    await studio.make()
    const download = studio.page.waitForEvent('download')
    await studio.exportButton.click()
    await download
  })
  test.info().annotations.push({
    type: 'longest task',
    description: `${longest.cpuMs.toFixed(1)} ms of CPU, ${longest.wallMs.toFixed(1)} ms by the clock, of ${longest.count}`,
  })
  expect(longest.count).toBeGreaterThan(50)
  expect(longest.cpuMs).toBeLessThan(50)
})

/** A fiftieth of the layout shift that is called good (web.dev/cls). */
const LEAST_SHIFT = 0.002

for (const width of [360, 1280]) {
  test(`nothing on a page ${width} pixels wide moves while a take is made`, async ({ studio }) => {
    const { page } = studio
    await page.setViewportSize({ width, height: 800 })
    await studio.open({ ...studentParams, seed: 6, prompt: PROMPT, steps: 4, length: 33 })
    await page.evaluate(() => {
      const shifts: { value: number; what: string[] }[] = Object.assign(window, { shifts: [] }).shifts
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as (PerformanceEntry & {
          value: number
          sources: { node: Element | null }[]
        })[])
          shifts.push({ value: entry.value, what: entry.sources.map(({ node }) => node?.className ?? '') })
      }).observe({ type: 'layout-shift' })
    })
    await studio.make()
    const shifts = await page.evaluate(
      () => (window as unknown as { shifts: { value: number; what: string[] }[] }).shifts,
    )
    // The playhead and the chunk under way are there to move. Words that change at the edge of their line count, at what
    // they are worth.
    const moves = ['filmstrip-head', 'filmstrip-estimate']
    const moved = shifts.filter(({ what }) => what.some((name) => !moves.includes(name)))
    const sum = moved.reduce((total, { value }) => total + value, 0)
    expect(sum, JSON.stringify(moved)).toBeLessThan(LEAST_SHIFT)
  })
}
