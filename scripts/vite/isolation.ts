import type { Plugin } from 'vite'

/**
 * Headers that make the page cross-origin isolated, which SharedArrayBuffer (and so WASM threads) needs.
 * A host that serves `dist/` must send the same two.
 */
export const isolationHeaders = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const

/** Sends {@link isolationHeaders} with every response of the dev and the preview server, error pages included. */
export function crossOriginIsolation(): Plugin {
  const setHeaders = (res: { setHeader(name: string, value: string): unknown }): void => {
    for (const [name, value] of Object.entries(isolationHeaders)) res.setHeader(name, value)
  }
  return {
    name: 'cross-origin-isolation',
    configureServer(server) {
      server.middlewares.use((_req, res, next) => {
        setHeaders(res)
        next()
      })
    },
    configurePreviewServer(server) {
      server.middlewares.use((_req, res, next) => {
        setHeaders(res)
        next()
      })
    },
  }
}
