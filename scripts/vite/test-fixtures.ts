import { createReadStream, existsSync, statSync } from 'node:fs'
import { join, normalize, sep } from 'node:path'
import type { Connect, Plugin } from 'vite'

/** Serves the model packages in `tests/fixtures` under `/fixtures/`, for tests only: set `ANYFLOW_TEST_FIXTURES=1`. */
export function testFixtures(root: string): Plugin {
  const folder = join(root, 'tests', 'fixtures')
  const serve: Connect.NextHandleFunction = (req, res, next) => {
    const path = normalize(join(folder, decodeURIComponent((req.url ?? '/').replace(/\?.*$/, ''))))
    if (!path.startsWith(folder + sep) || !existsSync(path) || !statSync(path).isFile()) {
      res.statusCode = 404
      res.end('Not found')
      return
    }
    res.setHeader('Content-Length', statSync(path).size)
    res.setHeader('Content-Type', path.endsWith('.json') ? 'application/json' : 'application/octet-stream')
    createReadStream(path).pipe(res).on('error', next)
  }
  const enabled = process.env['ANYFLOW_TEST_FIXTURES'] === '1'
  return {
    name: 'test-fixtures',
    configureServer(server) {
      if (enabled) server.middlewares.use('/fixtures/', serve)
    },
    configurePreviewServer(server) {
      if (enabled) server.middlewares.use('/fixtures/', serve)
    },
  }
}
