/**
 * `npm test`: sets up what is missing, then runs every check there is, to the end even when some fail, and closes with
 * the line `N passed, N failed`. A skipped test counts as failed: what did not run did not pass.
 * With names as arguments (`npm test -- vitest pytest`) it runs those checks alone.
 */

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { ensureChromium } from './lib/chromium.mjs'
import { playwrightCounts, pytestCounts, vitestCounts } from './lib/counts.mjs'
import { checkNode, ensurePackages } from './lib/npm.mjs'
import { ensurePython, python } from './lib/python.mjs'
import { bin, root, run } from './lib/run.mjs'

const reports = mkdtempSync(join(tmpdir(), 'anyflow-tests-'))
const report = (/** @type {string} */ name) => join(reports, name)
const vitestReport = report('vitest.json')
const playwrightReport = report('playwright.json')
const pytestReport = report('pytest.xml')

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {string} command
 * @property {string[]} args
 * @property {Record<string, string>} [env]
 * @property {{ path: string, read: (path: string) => import('./lib/counts.mjs').Counts }} [report] without it the
 *   whole check counts as one
 */

/** @type {Check[]} */
const checks = [
  { name: 'prettier', command: bin('prettier'), args: ['--check', '.', '--log-level=warn'] },
  { name: 'eslint', command: bin('eslint'), args: ['.', '--max-warnings=0'] },
  { name: 'tsc', command: bin('tsc'), args: ['--noEmit'] },
  {
    name: 'vitest',
    command: bin('vitest'),
    args: ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`],
    report: { path: vitestReport, read: vitestCounts },
  },
  { name: 'build', command: bin('vite'), args: ['build', '--logLevel=warn'] },
  { name: 'size', command: process.execPath, args: [join(root, 'scripts/check-size.mjs')] },
  {
    name: 'playwright',
    command: bin('playwright'),
    args: ['test', '--reporter=list,json'],
    env: { PLAYWRIGHT_JSON_OUTPUT_NAME: playwrightReport },
    report: { path: playwrightReport, read: playwrightCounts },
  },
  {
    name: 'ruff',
    command: python,
    args: ['-m', 'ruff', 'check', '--config', 'models/pyproject.toml', 'models', 'tests/python'],
  },
  {
    name: 'pytest',
    command: python,
    args: ['-m', 'pytest', '-c', 'models/pyproject.toml', 'tests/python', '-q', `--junitxml=${pytestReport}`],
    report: { path: pytestReport, read: pytestCounts },
  },
]

let passed = 0
let failed = 0
/** @type {string[]} */
const summary = []

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !checks.some((check) => check.name === name))
if (unknown.length > 0) {
  console.error(
    `There is no check "${unknown.join(', ')}". There are: ${checks.map(({ name }) => name).join(', ')}.`,
  )
  process.exit(2)
}

if (await setUp()) {
  for (const check of checks) {
    if (wanted.length > 0 && !wanted.includes(check.name)) continue
    await runCheck(check)
  }
}
rmSync(reports, { recursive: true, force: true })
console.log(`\n${summary.join('\n')}\n`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

/** @returns {Promise<boolean>} false when the packages are missing, without which nothing can run */
async function setUp() {
  if (!(await attempt('npm packages', () => (checkNode(), ensurePackages())))) return false
  // Without a browser or Python the other checks still say something; what needs them fails by itself.
  await attempt('Chromium', ensureChromium)
  await attempt('Python environment', ensurePython)
  return true
}

/** @param {string} name @param {() => Promise<unknown>} task */
async function attempt(name, task) {
  try {
    await task()
    return true
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    failed++
    summary.push(`FAIL  set-up: ${name}`)
    return false
  }
}

/** @param {Check} check */
async function runCheck(check) {
  console.log(`\n=== ${check.name} ===`)
  const start = Date.now()
  const code = await run(check.command, check.args, { env: { ...check.env, CI: process.env['CI'] ?? '1' } })
  const seconds = ((Date.now() - start) / 1000).toFixed(1)
  const counts = count(check, code)
  passed += counts.passed
  failed += counts.failed + counts.skipped
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped (counted as failed)` : ''
  const verdict = counts.failed + counts.skipped === 0 ? 'ok  ' : 'FAIL'
  summary.push(
    `${verdict}  ${check.name}: ${counts.passed} passed, ${counts.failed} failed${skipped} (${seconds} s)`,
    // What to look at when the whole takes too long.
    ...Object.entries(counts.times ?? {}).map(
      ([file, ms]) => `    ${(ms / 1000).toFixed(1).padStart(6)} s  ${file}`,
    ),
    // Again at the end: a log is often read from there, or kept from there.
    ...counts.failures.map((failure) => `    - ${failure}`),
  )
}

/** @param {Check} check @param {number} code */
function count(check, code) {
  if (check.report && existsSync(check.report.path)) {
    const counts = check.report.read(check.report.path)
    // The runner itself failed (a crash, nothing collected) though no test did.
    if (code !== 0 && counts.failed === 0) counts.failed = 1
    return counts
  }
  const ok = code === 0 && !check.report
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0, failures: [], times: {} }
}
