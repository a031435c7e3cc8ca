/**
 * `npm run lighthouse`: Lighthouse on the built app, in the Chromium on PATH, with its profile for desktops: how soon the
 * page answers, and its marks for performance and accessibility. Lighthouse is fetched by npm when this runs; it is too
 * large to be installed for everybody.
 *
 *   npm run lighthouse -- [--form desktop|mobile] [--build]
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { ensureChromium } from './lib/chromium.mjs'
import { run } from './lib/run.mjs'
import { withServer } from './lib/studio.mjs'

/** The last that runs on Node 20. */
const LIGHTHOUSE = 'lighthouse@12.8.2'
const LOWEST_MARK = 95
/** Until the page answers, ms. */
const LONGEST_START = 1500

const { values } = parseArgs({
  options: {
    form: { type: 'string', default: 'desktop' },
    port: { type: 'string', default: '4333' },
    dist: { type: 'string', default: 'dist' },
    build: { type: 'boolean', default: false },
  },
})

const folder = mkdtempSync(join(tmpdir(), 'anyflow-lighthouse-'))
try {
  const chromium = await ensureChromium()
  const report = join(folder, 'report.json')
  await withServer(values, async (origin) => {
    const args = [
      ...['exec', '--yes', `--package=${LIGHTHOUSE}`, '--', 'lighthouse', `${origin}/?backend=wasm`],
      ...[
        '--output=json',
        `--output-path=${report}`,
        '--quiet',
        '--only-categories=performance,accessibility',
      ],
      ...(values.form === 'desktop' ? ['--preset=desktop'] : []),
      '--chrome-flags=--headless=new --no-sandbox',
    ]
    const code = await run('npm', args, { env: { CHROME_PATH: chromium } })
    if (code !== 0) throw new Error(`Lighthouse ended with code ${code}`)
  })
  const { categories, audits } = JSON.parse(readFileSync(report, 'utf8'))
  const mark = (/** @type {string} */ name) => Math.round(100 * categories[name].score)
  const ms = (/** @type {string} */ name) => Math.round(audits[name].numericValue)
  const start = ms('interactive')
  console.log(`performance          ${mark('performance')}`)
  console.log(`accessibility        ${mark('accessibility')}`)
  console.log(`interactive          ${start} ms`)
  for (const name of ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time'])
    console.log(`${name.padEnd(20)} ${ms(name)} ms`)
  console.log(`cumulative shift     ${audits['cumulative-layout-shift'].numericValue.toFixed(3)}`)
  const lacking = Object.values(audits).filter(({ score, scoreDisplayMode, title }) => {
    return (
      title && score !== null && score < 0.9 && !['informative', 'notApplicable'].includes(scoreDisplayMode)
    )
  })
  for (const { title, displayValue = '' } of lacking) console.log(`  lacking: ${title} ${displayValue}`)
  const good =
    mark('performance') >= LOWEST_MARK && mark('accessibility') >= LOWEST_MARK && start <= LONGEST_START
  process.exitCode = good ? 0 : 1
} catch (error) {
  console.error(`No measurement: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
