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
