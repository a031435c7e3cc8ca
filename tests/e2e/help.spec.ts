/** Help that is not in the way: the first visit's sentence, suggestions, the About panel. */

import type { LoadedModel } from '../../src/engine/types'
import { expectAccessible } from './support/axe'
import { FIXTURE, studentParams } from './support/studio'
import { expect, test } from './support/test'

test.use({ contextOptions: { reducedMotion: 'reduce' } })

const row = (method: string, nfe: number, frechet: number, model: string) => ({
  ...{ model, architecture: 'causal', method, nfe, clips: 512, seed: 0 },
  ...{ frechet, frechet_ci: [frechet - 1, frechet + 1], frechet_floor: 2, prompt_accuracy: 0.75 },
})

test('the first visit says in one sentence what the slider is for, and only the first', async ({
  studio,
}) => {
  const { page } = studio
  await studio.open({ model: FIXTURE })
  const hint = page.getByText(/Drag to trade time for quality/)
  await expect(hint).toBeVisible()
  await studio.steps.fill('9')
  await expect(hint).toHaveCount(0)
  await page.reload()
  await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
  await expect(hint).toHaveCount(0)
})

test('suggestions are what the model names, and set the prompt and the seed', async ({ studio }) => {
  const { page } = studio
  await studio.open(studentParams)
  const { examples } = await page.evaluate(() => (window.__anyflow!.loaded() as LoadedModel).manifest)
  const chips = page.getByRole('list', { name: 'Examples' }).getByRole('button')
  await expect(chips).toHaveText(examples.map(({ prompt }) => prompt))
  await chips.last().click()
  await expect(studio.prompt).toHaveValue(examples.at(-1)!.prompt)
  await expect(studio.seed).toHaveValue(String(examples.at(-1)!.seed))
})

test('About draws what was measured, of which model, with the numbers beside it, and nothing where nothing was', async ({
  studio,
}) => {
  const { page } = studio
  const rowsOf = (model: string) => [
    row('consistency', 1, 20, model),
    row('consistency', 4, 31.5, model),
    row('student', 1, 12, model),
    row('student', 4, 8, model),
  ]
  let rows = rowsOf('tiny-fixture')
  let measured = true
  await page
    .context()
    .route('**/results/any-step.json', (route) =>
      measured ? route.fulfill({ json: rows }) : route.fulfill({ status: 404, body: 'Not found' }),
    )
  // The fixture does not say which stage made it.
  await page.context().route('**/fixtures/tiny/manifest.json', async (route) => {
    const response = await route.fetch()
    const manifest = (await response.json()) as { provenance: object }
    const provenance = { ...manifest.provenance, stage: 'student' }
    await route.fulfill({ response, json: { ...manifest, provenance } })
  })
  await studio.open({ model: FIXTURE })
  const about = page.getByRole('dialog', { name: 'About' })
  await page.getByRole('button', { name: 'About' }).click()
  await expect(about).toContainText('Nothing leaves it')
  const section = about.getByRole('region', { name: 'Quality against steps' })
  await expect(section).toContainText('512 clips')
  await expect(section.getByRole('listitem')).toHaveText([
    'Flow map (this model)',
    'Consistency',
    'Renders against renders',
  ])
  await expect(section.getByRole('img')).toHaveCount(2)
  await section.getByText('The numbers').click()
  await expect(section.getByRole('row').nth(1)).toHaveText('Flow map (this model)12.0, 75%8.0, 75%')
  await expect(section.getByRole('row').nth(2)).toHaveText('Consistency20.0, 75%31.5, 75%')
  await expect(section).not.toContainText('Nothing was measured')
  await expectAccessible(page, 'measured quality')

  rows = rowsOf('worlds-128')
  await page.reload()
  await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
  await page.getByRole('button', { name: 'About' }).click()
  await expect(section).toContainText(
    'Nothing was measured for the loaded model, Tiny fixture. These are the numbers of worlds-128.',
  )
  await expect(section.getByRole('listitem')).toHaveText([
    'worlds-128: Flow map',
    'worlds-128: Consistency',
    'Renders against renders',
  ])

  measured = false
  await page.reload()
  await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
  const asked = page.waitForResponse('**/results/any-step.json')
  await page.getByRole('button', { name: 'About' }).click()
  await asked
  await expect(about).toContainText('Nothing leaves it')
  await expect(section).toHaveCount(0)
})
