import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

/** Where the layout differs: one column, and picture beside controls. */
const sizes = [
  { width: 1280, height: 800 },
  { width: 360, height: 740 },
] as const
const themes = ['dark', 'light'] as const

/**
 * Finds nothing serious or critical in what the page shows, in both themes, wide and 360 pixels narrow.
 * @param state what the page shows, for the message
 */
export async function expectAccessible(page: Page, state: string): Promise<void> {
  for (const size of sizes) {
    await page.setViewportSize(size)
    for (const theme of themes) {
      // What the theme's button does; under a dialog it is out of reach.
      await page.evaluate((name) => {
        document.documentElement.dataset['theme'] = name
        document.documentElement.style.colorScheme = name
      }, theme)
      // The other mode opens a second tab, and while that is in front the page and its clock stand still.
      const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
      const grave = violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .flatMap(({ id, nodes }) =>
          nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 120)}: ${failureSummary ?? ''}`),
        )
      expect.soft(grave, `${state}, ${theme}, ${size.width} pixels wide`).toEqual([])
    }
  }
}
