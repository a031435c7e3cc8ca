/** A stop that does not wait for messages. */

import { Worker } from 'node:worker_threads'

import { afterEach, describe, expect, it, vi } from 'vitest'

import type { EngineEvent } from '../../src/engine/take'
import type { ProgressEvent } from '../../src/engine/types'
import { StopFlag } from '../../src/worker/stop-flag'
import type { StageLink } from '../../src/worker/stage-link'
import { TakeStream } from '../../src/worker/take-stream'

/** A thread that reads the flag in a loop, takes no message meanwhile, and says when it saw it. */
const BUSY = `
  const { parentPort, workerData } = require('node:worker_threads')
  const cell = new Int32Array(workerData)
  parentPort.postMessage('busy')
  const deadline = Date.now() + 20_000
  while (Atomics.load(cell, 0) === 0 && Date.now() < deadline);
  parentPort.postMessage(Atomics.load(cell, 0))
`

const noStage = {
  finish: () => Promise.resolve(),
  endEstimates: () => undefined,
} as unknown as StageLink

const progress = (step: number): ProgressEvent => ({
  ...{ type: 'progress', phase: 'denoise', chunk: 1, chunks: 1, step, steps: 64, fraction: 0 },
})

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('the stop flag', () => {
  it('reaches a thread that takes no messages', async () => {
    const flag = StopFlag.create()!
    expect(flag.isRaised).toBe(false)
    const busy = new Worker(BUSY, { eval: true, workerData: flag.buffer })
    const heard: unknown[] = []
    await new Promise<void>((resolve, reject) => {
      busy.on('error', reject)
      busy.on('exit', () => resolve())
      busy.on('message', (message) => {
        heard.push(message)
        if (message === 'busy') flag.raise()
      })
    })
    expect(heard).toEqual(['busy', 1])
    expect(new StopFlag(flag.buffer).isRaised, 'the other side reads the same memory').toBe(true)
  })

  it('is absent where memory cannot be shared', () => {
    vi.stubGlobal('SharedArrayBuffer', undefined)
    expect(StopFlag.create()).toBeUndefined()
  })

  it('ends a take in the middle of one request for an event, without a stop call', async () => {
    const flag = StopFlag.create()!
    let passes = 0
    async function* work(_signal: AbortSignal, isStopped: () => boolean): AsyncGenerator<EngineEvent> {
      yield progress(1)
      // As between the last pass of a chunk and its decoding: several pieces of work for one event.
      while (!isStopped() && passes < 64) {
        passes++
        if (passes === 3) flag.raise()
        await Promise.resolve()
      }
      yield { type: 'done', stopped: isStopped(), frames: 0, timings: { totalMs: 1 } }
    }
    const take = new TakeStream(work, noStage, flag)
    expect(await take.next()).toMatchObject({ type: 'progress', step: 1 })
    expect(await take.next()).toMatchObject({ type: 'done', stopped: true })
    expect(passes).toBe(3)
  })
})
