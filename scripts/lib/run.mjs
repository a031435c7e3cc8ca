/** Child processes for the scripts in this folder. Plain Node: this runs before anything is installed. */

import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

const windows = process.platform === 'win32'

/**
 * Runs a command with its output on this terminal and no input.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, quiet?: boolean }} [options]
 * @returns {Promise<number>} the exit code; 127 when the command cannot be started
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', options.quiet ? 'ignore' : 'inherit', options.quiet ? 'ignore' : 'inherit'],
      // npm and npx are .cmd files on Windows, which only a shell starts.
      shell: windows,
    })
    child.on('error', () => resolve(127))
    child.on('close', (code) => resolve(code ?? 1))
  })
}

/**
 * @param {string} name a program's name
 * @returns {string | undefined} its path, from PATH
 */
export function which(name) {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const suffix of windows ? ['.exe', '.cmd'] : ['']) {
      const path = join(folder, name + suffix)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined
}

/** Path of a program that an npm package installed. @param {string} name */
export function bin(name) {
  return join(root, 'node_modules', '.bin', windows ? `${name}.cmd` : name)
}
