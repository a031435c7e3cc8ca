import type { Plugin } from 'vite'

const others =
  /react-(aria|aria-components|stately)\/dist\/private\/intl\/(.*\/)?(?!en-US\.)[a-z]{2}-[A-Z]{2}\.(mjs|js|cjs)$/

/**
 * Leaves out what react-aria says in languages other than the page's: it brings all of its 34, which start-up would load.
 * The library's own way for this (its optimize-locales plugin): a language that is `undefined` is one it has not.
 */
export function oneLocale(): Plugin {
  return {
    name: 'one-locale',
    apply: 'build',
    load: {
      filter: { id: others },
      handler: () => 'export default undefined',
    },
  }
}
