/** Keeps models/.venv in step with models/pyproject.toml and models/constraints.txt. */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { root, run, which } from './run.mjs'

const venv = join(root, 'models', '.venv')
/** PyTorch first and alone: pip then takes the machine's build (CPU or CUDA) and the rest follows. */
const torch = 'torch==2.13.0'

/** Path of the environment's Python. */
export const python = join(venv, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')

/**
 * Makes the environment when there is none, and installs what is missing.
 * @throws {Error} when there is no suitable Python, or pip fails
 */
export async function ensurePython() {
  const stamp = join(venv, '.anyflow-stamp')
  const wanted = fingerprint()
  if (existsSync(python) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  if (!existsSync(python)) {
    console.log('Making the Python environment models/.venv ...')
    if ((await run(findPython(), ['-m', 'venv', venv])) !== 0) {
      throw new Error('"python -m venv" failed. On Debian: sudo apt-get install python3-venv.')
    }
  }
  console.log('Installing Python packages ...')
  await pip([torch])
  await pip(['-e', `${join(root, 'models')}[dev]`])
  writeFileSync(stamp, wanted)
}

/** @param {string[]} args */
async function pip(args) {
  const constraints = join(root, 'models', 'constraints.txt')
  const code = await run(python, [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-input',
    '-c',
    constraints,
    ...args,
  ])
  if (code !== 0) throw new Error(`"pip install ${args.join(' ')}" failed. Check the network and try again.`)
}

function fingerprint() {
  const hash = createHash('sha256')
  for (const name of ['pyproject.toml', 'constraints.txt'])
    hash.update(readFileSync(join(root, 'models', name)))
  return hash.digest('hex')
}

/** The pinned packages have builds for Python 3.11 and later. */
function findPython() {
  for (const name of ['python3.11', 'python3.12', 'python3.13', 'python3', 'python']) {
    const path = which(name)
    if (!path) continue
    const check = 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
    if (spawnSync(path, ['-c', check]).status === 0) return path
  }
  throw new Error('The model tests need Python 3.11, 3.12 or 3.13 on PATH, and found none.')
}
