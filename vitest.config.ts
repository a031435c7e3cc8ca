import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/unit/**/*.test.ts'],
    environment: 'node',
    testTimeout: 60_000,
    // Its CommonJS build hides its names from Node.
    server: { deps: { inline: ['gifenc'] } },
  },
})
