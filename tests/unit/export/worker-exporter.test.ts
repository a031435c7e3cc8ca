/** Cancelling, with a worker that asks for frames as the real one does. */

import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { FrameSource } from '../../../src/export/exporter'
import type { FromExportWorker, ToExportWorker } from '../../../src/export/protocol'
import { WorkerExporter } from '../../../src/export/worker-exporter'

const FRAMES = 9

class FakeWorker {
  static last: FakeWorker
  onmessage: ((event: { data: FromExportWorker }) => void) | undefined
  readonly sent: ToExportWorker[] = []
  readonly terminate = vi.fn()
  private asked = 0

  constructor() {
    FakeWorker.last = this
  }

  postMessage(message: ToExportWorker): void {
    this.sent.push(message)
    queueMicrotask(() => {
      if (this.terminate.mock.calls.length > 0) return
      if (message.type === 'abort') this.say({ type: 'error', message: 'The export was cancelled.' })
      else if (this.asked < FRAMES)
        this.say({ type: 'ready', index: this.asked, fraction: this.asked++ / FRAMES })
      else
        this.say({
          ...{ type: 'done', data: new ArrayBuffer(8), bytes: 8 },
          ...{ codecName: 'GIF', enlargedOn: undefined },
        })
    })
  }

  private say(data: FromExportWorker): void {
    this.onmessage?.({ data })
  }
}

/** Aborts when frame `at` is asked for. */
function source(controller: AbortController, at: number) {
  const getFrame = vi.fn((index: number) => {
    if (index === at) controller.abort()
    return Promise.resolve({ index, width: 1, height: 1, rgba: new Uint8ClampedArray(4) })
  })
  return { width: 1, height: 1, fps: 16, frames: FRAMES, getFrame } satisfies FrameSource
}

beforeEach(() => void vi.stubGlobal('Worker', FakeWorker))
afterEach(() => void vi.unstubAllGlobals())

it('makes a file of all frames when nobody cancels', async () => {
  const frames = source(new AbortController(), -1)
  const { blob } = await new WorkerExporter().export(frames, { format: 'gif' })
  expect(blob).toMatchObject({ size: 8, type: 'image/gif' })
  expect(frames.getFrame).toHaveBeenCalledTimes(FRAMES)
})

it('cancelled in memory, ends at once with no file and no more frames', async () => {
  const controller = new AbortController()
  const frames = source(controller, 4)
  const onProgress = vi.fn()
  const exporting = new WorkerExporter().export(frames, {
    ...{ format: 'gif', signal: controller.signal, onProgress },
  })
  await expect(exporting).rejects.toMatchObject({ name: 'AbortError' })
  expect(FakeWorker.last.terminate).toHaveBeenCalledOnce()
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect(frames.getFrame).toHaveBeenCalledTimes(5)
  expect(onProgress).not.toHaveBeenCalledWith(1)
})

it('cancelled on disk, waits until the worker has given the file up', async () => {
  const controller = new AbortController()
  const file = { name: 'clip.mp4' } as FileSystemFileHandle
  const exporting = new WorkerExporter().export(source(controller, 2), { file, signal: controller.signal })
  await expect(exporting).rejects.toMatchObject({ name: 'AbortError' })
  expect(FakeWorker.last.sent.map(({ type }) => type)).toContain('abort')
})
