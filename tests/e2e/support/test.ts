import { test as base } from '@playwright/test'

import { installHook, StudioPage } from './studio'

/** Playwright's `test` with a `studio`; an error that nobody caught in the page fails the test. */
export const test = base.extend<{ studio: StudioPage }>({
  studio: async ({ page }, use) => {
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    await installHook(page)
    await use(new StudioPage(page))
    if (errors.length > 0) throw new Error(`uncaught errors in the page:\n${errors.join('\n')}`)
  },
})

export { expect } from '@playwright/test'
