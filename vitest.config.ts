import { defineConfig } from 'vitest/config'

import { ortVersion } from './scripts/vite/ort-assets.ts'

export default defineConfig({
  define: { __ORT_VERSION__: JSON.stringify(ortVersion) },
  test: {
    include: ['tests/unit/**/*.test.ts'],
    environment: 'node',
    testTimeout: 60_000,
    // Its CommonJS build hides its names from Node.
    server: { deps: { inline: ['gifenc'] } },
  },
})
