/** Keeps node_modules in step with package-lock.json. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { root, run } from './run.mjs'

/** @throws {Error} when this Node is too old for the tools */
export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) return
  throw new Error(`Node ${process.versions.node} is too old. Install Node 20.19 or later, or 22.12 or later.`)
}

/**
 * Installs npm packages when any is missing or of another version than the lock file says.
 * @throws {Error} when npm fails
 */
export async function ensurePackages() {
  if (!stale()) return
  console.log('Installing npm packages ...')
  const command = existsSync(join(root, 'node_modules')) ? 'install' : 'ci'
  const code = await run('npm', [command, '--no-audit', '--no-fund', '--loglevel=error'], {
    env: { ONNXRUNTIME_NODE_INSTALL: 'skip', PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' },
  })
  if (code !== 0)
    throw new Error(`"npm ${command}" failed (exit code ${code}). Check the network and try again.`)
}

function stale() {
  const wanted = readLock(join(root, 'package-lock.json'))
  const installed = readLock(join(root, 'node_modules', '.package-lock.json'))
  return Object.entries(wanted).some(
    // Optional packages are for other platforms, as a rule.
    ([path, entry]) => path !== '' && !entry.optional && installed[path]?.version !== entry.version,
  )
}

/**
 * @param {string} path
 * @returns {Record<string, { version?: string, optional?: boolean }>}
 */
function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {}
  } catch {
    return {}
  }
}
