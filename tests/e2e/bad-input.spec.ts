import { FIXTURE, PROMPT } from './support/studio'
import { expect, test } from './support/test'

test('an empty prompt is refused with advice, and the next one is made', async ({ studio }) => {
  await studio.open({ model: FIXTURE, steps: 1, length: 9 })
  await studio.generate.click()
  await expect(studio.status).toHaveText(/prompt is empty.*example/i)
  await expect(studio.preview).toHaveAttribute('data-state', 'error')
  await studio.prompt.fill(PROMPT)
  await expect(studio.status).toHaveText('Ready')
  await studio.make()
})

test('a prompt past the limit says how much it uses, and keeps the take before it', async ({ studio }) => {
  await studio.open({ model: FIXTURE, prompt: PROMPT, steps: 1, length: 9 })
  await studio.make()
  await studio.prompt.fill('a red ball and '.repeat(20))
  await expect(studio.page.getByText('82 / 32 tokens')).toBeVisible()
  await studio.generate.click()
  await expect(studio.status).toHaveText(/82 tokens of 32/)
  await expect(studio.preview).toHaveAttribute('data-state', 'error')
  await expect(studio.preview).toHaveAttribute('data-frames', '9')
  const download = studio.page.waitForEvent('download')
  await studio.exportButton.click()
  await download
})

test('a file whose hash is wrong is named', async ({ studio }) => {
  await studio.page.context().route('**/fixtures/tiny/transformer.bin', async (route) => {
    const response = await route.fetch()
    const body = await response.body()
    body[1000]! ^= 1
    await route.fulfill({ response, body })
  })
  await studio.goto({ model: FIXTURE, prompt: PROMPT })
  await expect(studio.status).toHaveText(/transformer\.bin.*SHA-256/)
  await expect(studio.preview).toHaveAttribute('data-state', 'error')
})

test('a missing file is named, and Try again works once it is there', async ({ studio }) => {
  const pattern = '**/fixtures/tiny/decoder.onnx'
  await studio.page.context().route(pattern, (route) => route.fulfill({ status: 404, body: 'Not found' }))
  await studio.goto({ model: FIXTURE, prompt: PROMPT, steps: 1, length: 9 })
  await expect(studio.status).toHaveText(/decoder\.onnx.*404/)
  await studio.page.context().unroute(pattern)
  await studio.page.getByRole('button', { name: 'Try again' }).click()
  await expect(studio.status).toHaveText('Ready')
  await studio.make()
})

test('a manifest with a bad field names the field', async ({ studio }) => {
  await studio.page.context().route('**/fixtures/tiny/manifest.json', async (route) => {
    const response = await route.fetch()
    const manifest = (await response.json()) as { video: { fps: unknown } }
    manifest.video.fps = 'fast'
    await route.fulfill({ response, json: manifest })
  })
  await studio.goto({ model: FIXTURE })
  await expect(studio.status).toHaveText(/video\.fps/)
})

test('a model that is not there is named', async ({ studio }) => {
  await studio.goto({ model: '/fixtures/none/' })
  await expect(studio.status).toHaveText(/manifest\.json/)
  await studio.goto({ model: 'https://example.org/model/' })
  await expect(studio.status).toHaveText(/another site/)
})

test('a browser without WebGPU says so; automatic choice falls back to WASM with the reason', async ({
  studio,
}) => {
  await studio.page.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined })
  })
  await studio.goto({ model: FIXTURE, backend: 'webgpu', prompt: PROMPT, steps: 1, length: 9 })
  await expect(studio.status).toHaveText(/WebGPU.*WASM/)
  await studio.goto({ model: FIXTURE, backend: 'auto', prompt: PROMPT, steps: 1, length: 9 })
  await expect(studio.status).toHaveText('Ready')
  await expect(studio.page.getByTestId('backend')).toHaveText(/WASM/)
  await studio.page.getByTestId('backend').click()
  await expect(studio.page.getByTestId('backend-reason')).toHaveText(/WebGPU/)
  await studio.page.keyboard.press('Escape')
  await studio.make()
})
