/** Finds a Chromium, and installs Debian's where there is none and this may. */

import { run, which } from './run.mjs'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']

/** @returns {string | undefined} path of a Chromium: `CHROMIUM_PATH`, else the first on PATH */
export function findChromium() {
  if (process.env['CHROMIUM_PATH']) return process.env['CHROMIUM_PATH']
  for (const name of names) {
    const path = which(name)
    if (path) return path
  }
  return undefined
}

/**
 * @returns {Promise<string>} path of a Chromium
 * @throws {Error} when there is none and none can be installed
 */
export async function ensureChromium() {
  const found = findChromium()
  if (found) return found
  if (process.getuid?.() === 0 && which('apt-get')) {
    console.log('Installing Chromium ...')
    const env = { DEBIAN_FRONTEND: 'noninteractive' }
    await run('apt-get', ['update', '-qq'], { env })
    await run('apt-get', ['install', '-y', '-qq', 'chromium'], { env })
    const installed = findChromium()
    if (installed) return installed
  }
  throw new Error(
    'The browser tests need Chromium. Install Chrome or Chromium (on Debian: sudo apt-get install chromium), ' +
      'or set CHROMIUM_PATH to one.',
  )
}

/**
 * Flags that give a machine without a GPU a software WebGPU adapter with a working canvas. Without the last four,
 * `getCurrentTexture()` on an OffscreenCanvas destroys the device.
 */
export const softwareWebGpuFlags = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-unsafe-swiftshader',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
  '--use-angle=swiftshader',
  '--ignore-gpu-blocklist',
]
