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
const contentTypes: Record<string, string> = { '.mjs': 'text/javascript', '.wasm': 'application/wasm' }

/**
 * Serves onnxruntime-web's files under `/ort/` in dev and copies them to `dist/ort/` in a build, so that
 * `ort.env.wasm.wasmPaths = '/ort/'` holds everywhere. They stay out of the bundle: ORT's threads start a worker from
 * the glue module's own URL, and the binaries are only fetched for the backend in use.
 */
export function ortAssets(): Plugin {
  return {
    name: 'ort-assets',
    configureServer(server) {
      server.middlewares.use('/ort/', (req, res, next) => {
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
        this.emitFile({ type: 'asset', fileName: `ort/${name}`, source: readFileSync(join(dist, name)) })
      }
    },
  }
}
