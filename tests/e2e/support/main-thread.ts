import type { Browser, Page } from '@playwright/test'

interface TraceEvent {
  readonly name: string
  readonly pid: number
  readonly tid: number
  /** Wall and CPU time, microseconds. */
  readonly dur?: number
  readonly tdur?: number
  readonly args?: { readonly data?: { readonly type?: string } }
}

export interface LongestTask {
  /** Tasks seen. */
  readonly count: number
  /** Longest of them by the thread's own CPU time, ms. */
  readonly cpuMs: number
  /** Longest by the clock, ms: includes time in which other programs had the processor. */
  readonly wallMs: number
}

/**
 * Runs `work` under Chromium's tracer and reports the longest task of the page's main thread. CPU time is what the
 * page is answerable for: by the clock, a machine with other work on it makes any task long.
 */
export async function longestTask(
  browser: Browser,
  page: Page,
  work: () => Promise<void>,
): Promise<LongestTask> {
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline'] })
  let trace: Buffer
  try {
    // The click's event tells the page's main thread from the tracer's and other pages'.
    await work()
  } finally {
    trace = await browser.stopTracing()
  }
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] }
  const click = traceEvents.find(({ name, args }) => name === 'EventDispatch' && args?.data?.type === 'click')
  if (!click) throw new Error('the trace has no click, so the main thread cannot be told')
  const tasks = traceEvents.filter(
    ({ name, pid, tid, tdur }) =>
      name.endsWith('RunTask') && pid === click.pid && tid === click.tid && tdur !== undefined,
  )
  const longest = (field: 'dur' | 'tdur'): number =>
    Math.max(0, ...tasks.map((task) => (task[field] ?? 0) / 1000))
  return { count: tasks.length, cpuMs: longest('tdur'), wallMs: longest('dur') }
}
