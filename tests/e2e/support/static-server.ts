import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize, sep } from 'node:path'

const root = join(import.meta.dirname, '../../..')

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
}

/**
 * The barest host there is: `dist/` and the fixtures as files, with their types and no other header.
 * @param base folder that `dist/` lies in, with a leading and a trailing slash; nothing is outside it but the fixtures
 */
export async function bareServer(base = '/'): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname))
    const isFixture = path.startsWith(`${sep}fixtures${sep}`)
    const folder = isFixture ? join(root, 'tests') : join(root, 'dist')
    const inside = isFixture ? path : path.startsWith(base) ? path.slice(base.length - 1) : undefined
    const file = join(folder, inside?.endsWith(sep) ? `${inside}index.html` : (inside ?? 'none'))
    if (!file.startsWith(folder) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end('Not found')
      return
    }
    response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' })
    createReadStream(file).pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://localhost:${port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
