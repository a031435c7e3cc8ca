import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

/** Where the page asks for it. */
const ADDRESS = 'results/any-step.json'

/**
 * Publishes what `python -m anyflow compare` measured, where it has: the About panel draws it. In a checkout without
 * measurements the build has no such file, and the panel no such part.
 */
export function results(root: string): Plugin {
  const path = join(root, 'models', ADDRESS)
  return {
    name: 'results',
    configureServer(server) {
      server.middlewares.use(`/${ADDRESS}`, (_request, response, next) => {
        if (!existsSync(path)) {
          next()
          return
        }
        response.setHeader('Content-Type', 'application/json')
        response.end(readFileSync(path))
      })
    },
    generateBundle() {
      if (existsSync(path)) this.emitFile({ type: 'asset', fileName: ADDRESS, source: readFileSync(path) })
    },
  }
}
