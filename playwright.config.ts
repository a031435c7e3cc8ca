import { defineConfig } from '@playwright/test'

import { findChromium, softwareWebGpuFlags } from './scripts/lib/chromium.mjs'
import { freePort } from './scripts/lib/port.mjs'

// Kept in the environment: every worker process reads this file again.
const port = Number((process.env['ANYFLOW_E2E_PORT'] ??= String(await freePort())))
const executablePath = findChromium()

/** End-to-end tests drive the built app (`npm run build` first) in the Chromium on PATH. */
export default defineConfig({
  testDir: 'tests/e2e',
  forbidOnly: true,
  // One at a time: inference takes every core, and some tests measure time.
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: {
    baseURL: `http://localhost:${port}`,
    // Recording slows every test; ask for it when one fails.
    trace: process.env['TRACE'] ? 'retain-on-failure' : 'off',
    // A worker would answer in place of the routes that tests set; offline.spec.ts is about it.
    serviceWorkers: 'block',
    viewport: { width: 1280, height: 800 },
  },
  projects: [
    {
      name: 'wasm',
      testIgnore: /webgpu.*\.spec/,
      use: { launchOptions: executablePath ? { executablePath } : {} },
    },
    {
      name: 'webgpu',
      testMatch: /webgpu.*\.spec/,
      use: { launchOptions: { ...(executablePath ? { executablePath } : {}), args: softwareWebGpuFlags } },
    },
  ],
  webServer: {
    command: `npx vite preview --port ${port} --strictPort`,
    port,
    env: { ANYFLOW_TEST_FIXTURES: '1' },
    timeout: 60_000,
  },
})
