import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const dist = join(root, 'node_modules', 'onnxruntime-web', 'dist')

/**
 * The glue modules and WebAssembly binaries of onnxruntime-web that the app can load: the native WebGPU provider with
 * JSPI, the same without JSPI (asyncify), and the plain WASM provider.
 */
const variants = ['ort-wasm-simd-threaded.jspi', 'ort-wasm-simd-threaded.asyncify', 'ort-wasm-simd-threaded']
const names = variants.flatMap((variant) => [`${variant}.mjs`, `${variant}.wasm`])
/** Part of the addresses: files of one version must never meet those of another in a browser's cache. */
export const ortVersion = (
  JSON.parse(readFileSync(join(dist, '..', 'package.json'), 'utf8')) as { version: string }
).version
const contentTypes: Record<string, string> = { '.mjs': 'text/javascript', '.wasm': 'application/wasm' }

/**
 * Serves onnxruntime-web's files under `/ort/VERSION/` in dev and copies them to `dist/ort/VERSION/` in a build; what asks
 * for them knows the version as `__ORT_VERSION__`. They stay out of the bundle: ORT's threads start a worker from
 * the glue module's own URL, and the binaries are only fetched for the backend in use.
 */
export function ortAssets(): Plugin {
  return {
    name: 'ort-assets',
    config: () => ({ define: { __ORT_VERSION__: JSON.stringify(ortVersion) } }),
    configureServer(server) {
      server.middlewares.use(`/ort/${ortVersion}/`, (req, res, next) => {
        const name = (req.url ?? '').replace(/^\//, '').replace(/\?.*$/, '')
        if (!names.includes(name)) {
          next()
          return
        }
        const path = join(dist, name)
        if (!existsSync(path)) {
          next(new Error(`${path} is missing: run npm install`))
          return
        }
        res.setHeader('Content-Type', contentTypes[extname(name)] ?? 'application/octet-stream')
        res.setHeader('Content-Length', statSync(path).size)
        createReadStream(path).pipe(res)
      })
    },
    generateBundle() {
      for (const name of names) {
        this.emitFile({
          type: 'asset',
          fileName: `ort/${ortVersion}/${name}`,
          source: readFileSync(join(dist, name)),
        })
      }
    },
  }
}
