/** What an export reads: frames that are held while another take replaces those that play. The page's proxy and a stage. */

import { afterAll, expect, it } from 'vitest'

import { WorkerGenerator } from '../../../src/worker/client'
import type { StageCalls } from '../../../src/worker/protocol'
import { serveRpc, type WorkerLike } from '../../../src/worker/rpc'
import { Stage } from '../../../src/worker/stage'
import { stageHandlers } from '../../../src/worker/stage-service'

const { port1, port2 } = new MessageChannel()
port1.start()
port2.start()
afterAll(() => port1.close())

const clip = (value: number, count: number) => ({
  ...{ width: 1, height: 1, fps: 16 },
  frames: Array.from({ length: count }, (_, i) => Uint8ClampedArray.of(value, i, 0, 255)),
})

it('are those of the take that was held, until it is dropped', async () => {
  serveRpc<StageCalls>(port2, stageHandlers(new Stage(() => undefined)))
  const nobody = { postMessage: () => undefined, addEventListener: () => undefined }
  const generator = new WorkerGenerator(nobody as unknown as WorkerLike, port1 as unknown as WorkerLike)

  await generator.present(clip(1, 3))
  const kept = await generator.keep()
  await generator.present(clip(2, 1))
  for (const index of [0, 1, 2])
    expect([...(await generator.getFrame(index, kept)).rgba]).toEqual([1, index, 0, 255])
  // Handed out as a copy: a frame can be asked for again, as loops do.
  expect((await generator.getFrame(2, kept)).rgba[0]).toBe(1)
  expect((await generator.getFrame(0)).rgba[0]).toBe(2)
  await expect(generator.getFrame(3, kept)).rejects.toMatchObject({ code: 'no-frames' })

  await generator.dropKept([kept])
  await expect(generator.getFrame(0, kept)).rejects.toMatchObject({ code: 'no-frames' })
  await generator.pause()
})
