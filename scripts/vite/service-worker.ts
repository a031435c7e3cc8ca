import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import type { Plugin } from 'vite'

/** Not fetched ahead: model files have their own cache, of the runtimes only the one in use is wanted. */
const leftOut = /^(sw\.js$|ort\/|models\/(?!index\.json$))/

/**
 * Builds `src/offline/service-worker.ts` to `sw.js` at the root (a service worker's place decides what it may answer) and puts
 * in the list of files it fetches ahead.
 */
export function serviceWorker(root: string): Plugin {
  let outDir = ''
  return {
    name: 'service-worker',
    apply: 'build',
    configResolved(config) {
      outDir = resolve(config.root, config.build.outDir)
    },
    buildStart() {
      this.emitFile({
        type: 'chunk',
        id: join(root, 'src/offline/service-worker.ts'),
        fileName: 'sw.js',
      })
    },
    closeBundle() {
      const path = join(outDir, 'sw.js')
      if (!existsSync(path)) return
      const code = readFileSync(path, 'utf8')
      // It is registered as a classic script, which every browser with service workers runs.
      if (/^\s*(import|export)\b/m.test(code)) this.error('sw.js must not import or export anything')
      const list = JSON.stringify(precache(outDir))
      writeFileSync(
        path,
        code.replaceAll('__PRECACHE__', () => list),
      )
    },
  }
}

function precache(outDir: string): { url: string; hash: string }[] {
  return readdirSync(outDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(outDir, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((url) => !leftOut.test(url))
    .sort()
    .map((url) => ({
      url,
      hash: createHash('sha256')
        .update(readFileSync(join(outDir, url)))
        .digest('hex')
        .slice(0, 16),
    }))
}
