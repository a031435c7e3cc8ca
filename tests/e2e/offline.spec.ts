import { FIXTURE, PROMPT } from './support/studio'
import { bareServer } from './support/static-server'
import { expect, test } from './support/test'

test.use({ serviceWorkers: 'allow' })

test('on a host without headers the page becomes isolated, and then works without any host', async ({
  studio,
}) => {
  const { page } = studio
  const server = await bareServer()
  try {
    const search = new URLSearchParams({
      ...{ model: FIXTURE, backend: 'wasm', test: '1' },
      ...{ prompt: PROMPT, seed: '1', steps: '1', length: '9' },
    })
    await page.goto(`${server.origin}/?${search.toString()}`)
    await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
    await expect(page.getByTestId('backend')).toHaveText(/WASM, \d+ threads?/)
    await studio.make()
    const digest = await studio.digest()

    await expect
      .poll(() =>
        page.evaluate(async () => {
          const cache = await caches.open(
            (await caches.keys()).find((key) => key.startsWith('anyflow-app-'))!,
          )
          return (await cache.keys()).some(({ url }) =>
            /\/ort\/[\d.]+\/ort-wasm-simd-threaded\.wasm$/.test(url),
          )
        }),
      )
      .toBe(true)
    await server.close()
    await page.reload()
    await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
    await studio.make()
    expect(await studio.digest()).toBe(digest)
  } finally {
    await server.close().catch(() => undefined)
  }
})

test('the build runs in a folder of a host, isolated and offline too', async ({ studio }) => {
  const { page } = studio
  const server = await bareServer('/demos/anyflow/')
  const outside: string[] = []
  page.on('response', (response) => {
    const { pathname } = new URL(response.url())
    if (!response.url().startsWith('blob:') && !/^\/(demos\/anyflow|fixtures)\//.test(pathname))
      outside.push(pathname)
  })
  try {
    const search = new URLSearchParams({ backend: 'wasm', test: '1', seed: '1', steps: '1', length: '1' })
    await page.goto(`${server.origin}/demos/anyflow/?${search.toString()}`)
    await expect(studio.status).toHaveText('Ready', { timeout: 90_000 })
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
    await studio.prompt.fill(PROMPT)
    await studio.make()
    await page.getByRole('button', { name: 'About' }).click()
    await expect(page.getByRole('img', { name: /^Fréchet distance/ })).toBeVisible()
    await page.keyboard.press('Escape')
    expect(outside, 'addresses outside the folder').toEqual([])
    await server.close()
    await page.reload()
    await expect(studio.status).toHaveText('Ready', { timeout: 60_000 })
  } finally {
    await server.close().catch(() => undefined)
  }
})

test('the app can be installed', async ({ studio }) => {
  const { page } = studio
  await studio.goto({ model: FIXTURE })
  const href = await page.locator('link[rel=manifest]').getAttribute('href')
  const manifest = (await (await page.request.get(href!)).json()) as {
    display: string
    icons: { src: string; sizes: string; type: string }[]
  }
  expect(manifest.display).toBe('standalone')
  for (const { src, sizes, type } of manifest.icons) {
    const response = await page.request.get(`/${src}`)
    expect(response.ok(), src).toBe(true)
    expect(response.headers()['content-type']).toContain(type)
    if (type !== 'image/png') continue
    const bytes = await response.body()
    expect(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`).toBe(sizes)
  }
  await expect
    .poll(() => page.evaluate(async () => (await navigator.serviceWorker.ready).active?.state))
    .toBe('activated')
})
