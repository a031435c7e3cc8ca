/** Reads how many tests passed, and which failed, from the files that each test runner writes. */

import { readFileSync } from 'node:fs'

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} failures name of each failed test, and what it said
 * @property {Record<string, number>} [times] how long each file's tests took, ms
 */

/** Enough of an error to see which expectation broke, without colour codes. @param {string} [message] */
function brief(message = '') {
  // eslint-disable-next-line no-control-regex
  const plain = message.replace(/\u001b\[[0-9;]*m/g, '').trim()
  return plain.split('\n').slice(0, 8).join('\n      ')
}

/** Vitest's JSON reporter. @param {string} path @returns {Counts} */
export function vitestCounts(path) {
  const report = JSON.parse(readFileSync(path, 'utf8'))
  // A file that cannot be loaded has no tests to count, and is a failure all the same.
  const broken = report.testResults.filter(
    (/** @type {{ status: string, assertionResults: unknown[] }} */ file) =>
      file.status === 'failed' && file.assertionResults.length === 0,
  ).length
  const failures = report.testResults.flatMap((/** @type {any} */ file) => [
    ...(file.assertionResults.length === 0 && file.status === 'failed'
      ? [`${file.name}: ${brief(file.message)}`]
      : []),
    ...file.assertionResults
      .filter((/** @type {any} */ test) => test.status === 'failed')
      .map((/** @type {any} */ test) => `${test.fullName}: ${brief(test.failureMessages[0])}`),
  ])
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken,
    skipped: report.numPendingTests + (report.numTodoTests ?? 0),
    failures,
  }
}

/** Playwright's JSON reporter. @param {string} path @returns {Counts} */
export function playwrightCounts(path) {
  const report = JSON.parse(readFileSync(path, 'utf8'))
  const { expected, unexpected, flaky, skipped } = report.stats
  const failures = [
    ...report.errors.map((/** @type {{ message?: string }} */ error) => brief(error.message)),
    ...specs(report.suites)
      .filter((spec) => !spec.ok)
      .map((spec) => {
        const error = spec.tests[0]?.results.find((/** @type {any} */ result) => result.error)?.error
        return `${spec.file} ${spec.title}: ${brief(error?.message)}`
      }),
  ]
  /** @type {Record<string, number>} */
  const times = {}
  for (const { file, tests } of specs(report.suites)) {
    const results = tests.flatMap((/** @type {any} */ { results: all }) => all)
    for (const { duration } of results) times[file] = (times[file] ?? 0) + duration
  }
  return { passed: expected + flaky, failed: unexpected + report.errors.length, skipped, failures, times }
}

/** Every spec of Playwright's nested suites. @param {any[]} suites @returns {any[]} */
function specs(suites = []) {
  return suites.flatMap((suite) => [...(suite.specs ?? []), ...specs(suite.suites)])
}

/** pytest's JUnit XML. @param {string} path @returns {Counts} */
export function pytestCounts(path) {
  const xml = readFileSync(path, 'utf8')
  const suite = /<testsuite\s[^>]*>/.exec(xml)?.[0] ?? ''
  const number = (/** @type {string} */ name) =>
    Number(new RegExp(`\\s${name}="(\\d+)"`).exec(suite)?.[1] ?? NaN)
  const failed = number('failures') + number('errors')
  const skipped = number('skipped')
  const failures = [
    ...xml.matchAll(
      /<testcase classname="([^"]*)" name="([^"]*)"[^>]*><(?:failure|error) message="([^"]*)"/g,
    ),
  ].map(([, file, name, message]) => `${file} ${name}: ${brief(message?.replaceAll('&#10;', '\n'))}`)
  return { passed: number('tests') - failed - skipped, failed, skipped, failures }
}
