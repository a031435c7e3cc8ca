import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

import { crossOriginIsolation } from './scripts/vite/isolation.ts'
import { oneLocale } from './scripts/vite/one-locale.ts'
import { ortAssets } from './scripts/vite/ort-assets.ts'
import { results } from './scripts/vite/results.ts'
import { serviceWorker } from './scripts/vite/service-worker.ts'
import { testFixtures } from './scripts/vite/test-fixtures.ts'

export default defineConfig({
  // The build runs in whatever folder of a host it lies.
  base: './',
  // One page: any other address is a real 404, so that a missing model file is seen as missing.
  appType: 'mpa',
  plugins: [
    react(),
    oneLocale(),
    crossOriginIsolation(),
    ortAssets(),
    results(import.meta.dirname),
    testFixtures(import.meta.dirname),
    serviceWorker(import.meta.dirname),
  ],
  // ORT's glue and binaries come from /ort/ (see ortAssets), not from inside the bundle.
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', 'module', 'browser', 'development|production'] },
  optimizeDeps: {
    include: ['onnxruntime-web/wasm', 'onnxruntime-web/webgpu', 'onnxruntime-web/jspi'],
  },
  worker: { format: 'es' },
  build: { target: 'es2023', sourcemap: false, chunkSizeWarningLimit: 900 },
  server: { port: 5173 },
  preview: { port: 4173 },
})
