/**
 * `npm start`: installs what is missing, builds the app, serves it with the headers that threads need, and opens it.
 * Options: `--dev` (Vite's dev server instead of a build), `--port N`, `--no-open`.
 */

import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'

import { checkNode, ensurePackages } from './lib/npm.mjs'
import { root } from './lib/run.mjs'

try {
  const { values } = parseArgs({
    options: {
      dev: { type: 'boolean', default: false },
      port: { type: 'string' },
      'no-open': { type: 'boolean', default: false },
    },
  })
  checkNode()
  await ensurePackages()
  const url = await serve(values.dev, values.port === undefined ? undefined : portNumber(values.port))
  console.log(`\n  AnyFlow Studio is running at ${url}\n  Press Ctrl+C to stop it.\n`)
  if (!values['no-open'] && canOpen()) open(url)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/**
 * @param {boolean} dev
 * @param {number | undefined} port
 * @returns {Promise<string>} the address
 */
async function serve(dev, port) {
  // Imported late: it is one of the packages that may just have been installed.
  const vite = await import('vite')
  if (dev) {
    const server = await vite.createServer({ root, ...(port === undefined ? {} : { server: { port } }) })
    await server.listen()
    return server.resolvedUrls?.local[0] ?? `http://localhost:${server.config.server.port}/`
  }
  console.log('Building ...')
  await vite.build({ root, logLevel: 'warn' })
  const server = await vite.preview({ root, ...(port === undefined ? {} : { preview: { port } }) })
  return server.resolvedUrls?.local[0] ?? `http://localhost:${server.config.preview.port}/`
}

/** @param {string} text */
function portNumber(text) {
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new Error(`--port ${text} is not a port. Give a number from 1 to 65535.`)
}

/** There is a person and a screen. */
function canOpen() {
  if (process.env['CI']) return false
  if (process.platform !== 'linux') return true
  return Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY'])
}

/** @param {string} url */
function open(url) {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', url]
        : ['xdg-open', url]
  const child = spawn(/** @type {string} */ (command), args, { stdio: 'ignore', detached: true })
  // The address is on the terminal; no browser is no reason to stop serving.
  child.on('error', () => undefined)
  child.unref()
}
