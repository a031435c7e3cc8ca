/** The page's proxy and both workers' services, wired by message ports instead of workers, on the tiny fixture. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

import type { GenerationEvent, GenerationRequest } from '../../src/engine/types'
import { WorkerGenerator } from '../../src/worker/client'
import { engineHandlers } from '../../src/worker/engine-service'
import type { EngineCalls, FromWorker, PreviewState, StageCalls } from '../../src/worker/protocol'
import { type Scope, serveRpc, type WorkerLike } from '../../src/worker/rpc'
import { Stage } from '../../src/worker/stage'
import { stageHandlers } from '../../src/worker/stage-service'
import { BASE, folderFetch } from './support/package'

const ports: MessagePort[] = []
/** Calls to the engine that are lost on the way. */
const lostCalls = new Set<string>()

/** Both ends of a channel: what the page sees as a worker, and the worker's own scope. Calls in `lost` never arrive. */
function channel(lost: ReadonlySet<string>): { worker: WorkerLike; scope: Scope } {
  const { port1, port2 } = new MessageChannel()
  ports.push(port1, port2)
  port1.start()
  port2.start()
  const worker = {
    postMessage: (message: { name?: string }, transfer: Transferable[]) => {
      if (message.name === undefined || !lost.has(message.name)) port1.postMessage(message, transfer)
    },
    terminate: () => port1.close(),
    addEventListener: (type: string, listener: (event: Event) => void) =>
      port1.addEventListener(type, listener),
  }
  return { worker: worker as unknown as WorkerLike, scope: port2 }
}

function start(): WorkerGenerator {
  const engine = channel(lostCalls)
  const stage = channel(new Set())
  serveRpc<EngineCalls>(engine.scope, engineHandlers(Promise.resolve({ fetch: folderFetch() })))
  const show = (state: PreviewState): void =>
    stage.scope.postMessage({ type: 'preview', state } satisfies FromWorker, [])
  serveRpc<StageCalls>(stage.scope, stageHandlers(new Stage(show)))
  return new WorkerGenerator(engine.worker, stage.worker)
}

const request: GenerationRequest = { prompt: 'a blue cube on snow', steps: 2, seed: 3, frames: 9 }
const generator = start()

async function collect(wanted: GenerationRequest, signal?: AbortSignal): Promise<GenerationEvent[]> {
  const events: GenerationEvent[] = []
  for await (const event of generator.generate(wanted, signal)) events.push(event)
  return events
}

beforeAll(async () => {
  const seen: string[] = []
  const loaded = await generator.load(BASE, {
    backend: 'wasm',
    onProgress: ({ phase }) => seen.at(-1) === phase || seen.push(phase),
  })
  expect(loaded.backend.backend).toBe('wasm')
  expect(loaded.lengths.slice(0, 3)).toEqual([1, 9, 17])
  expect(seen).toEqual(expect.arrayContaining(['manifest', 'download', 'verify', 'compile', 'ready']))
})

afterAll(async () => {
  await generator.dispose()
  for (const port of ports) port.close()
})

describe('generator over messages', () => {
  it('streams a take, then hands its frames out one by one', async () => {
    const events = await collect(request)
    expect(events[0]).toMatchObject({ type: 'started', chunks: 2, width: 64, height: 64 })
    expect(events.at(-1)).toMatchObject({ type: 'done', stopped: false, frames: 9 })
    const frame = await generator.getFrame(8)
    expect(frame).toMatchObject({ index: 8, width: 64, height: 64 })
    expect(frame.rgba).toHaveLength(64 * 64 * 4)
    // It is a copy: giving it away does not take it from the stage.
    expect((await generator.getFrame(8)).rgba).toEqual(frame.rgba)
    await expect(generator.getFrame(9)).rejects.toMatchObject({ code: 'no-frames' })
  })

  it('gives the same digest for the same request', async () => {
    await collect(request)
    const first = await generator.digest()
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    await collect({ ...request, seed: 4 })
    expect(await generator.digest()).not.toBe(first)
    await collect(request)
    expect(await generator.digest()).toBe(first)
  })

  it('has frames on the stage by the time their event arrives', async () => {
    for await (const event of generator.generate(request)) {
      if (event.type !== 'frames') continue
      const last = await generator.getFrame(event.first + event.count - 1)
      expect(last.rgba.some((value) => value > 0)).toBe(true)
      await expect(generator.getFrame(event.first + event.count)).rejects.toThrow(/There is no frame/)
    }
  })

  it('stops within one event, and keeps what was decoded', async () => {
    const controller = new AbortController()
    const events: GenerationEvent[] = []
    for await (const event of generator.generate({ ...request, steps: 20 }, controller.signal)) {
      if (event.type === 'progress' && event.chunk === 2) controller.abort()
      events.push(event)
    }
    expect(events.at(-1)).toMatchObject({ type: 'done', stopped: true, frames: 1 })
    expect((await generator.getFrame(0)).index).toBe(0)
    expect((await collect(request)).at(-1)).toMatchObject({ stopped: false, frames: 9 })
  })

  it.each([
    ['by the flag alone, when no stop call arrives', 'stop', true],
    ['by the call alone, where memory cannot be shared', '', false],
  ])('stops %s', async (_how, lost, shared) => {
    if (!shared) vi.stubGlobal('SharedArrayBuffer', undefined)
    lostCalls.add(lost)
    try {
      const controller = new AbortController()
      const steps: number[] = []
      let last: GenerationEvent | undefined
      const wanted = { ...request, steps: 64, frames: 1 }
      for await (const event of generator.generate(wanted, controller.signal)) {
        if (event.type === 'progress' && event.phase === 'denoise') steps.push(event.step)
        if (event.type === 'progress' && event.step === 8) controller.abort()
        last = event
      }
      expect(last).toMatchObject({ type: 'done', stopped: true, frames: 0 })
      // The proxy asks for one event ahead; without the flag a message more may be on its way.
      expect(steps.at(-1)).toBeLessThanOrEqual(shared ? 9 : 10)
      expect((await collect(request)).at(-1)).toMatchObject({ stopped: false, frames: 9 })
    } finally {
      lostCalls.delete(lost)
      vi.unstubAllGlobals()
    }
  })

  it('a second take ends the first, whose consumer is told', async () => {
    const first = generator.generate({ ...request, steps: 20, frames: 33 })
    for (let i = 0; i < 4; i++) await first.next()
    const second = await collect(request)
    expect(second.at(-1)).toMatchObject({ type: 'done', stopped: false, frames: 9 })
    const rest: GenerationEvent[] = []
    for await (const event of first) rest.push(event)
    // At most the event that the proxy had pulled ahead, then the end.
    expect(rest.length).toBeLessThanOrEqual(2)
    expect(rest.at(-1)).toMatchObject({ type: 'done', stopped: true })
  })

  it('a prompt edited while a take without an end waits for its turn counts', async () => {
    const loading = generator.load(BASE, { backend: 'wasm' })
    const take = generator.generate({ ...request, steps: 1, frames: 33, endless: true })
    const started = take.next()
    // Passes the call that starts the take, which waits for the model.
    await generator.setPrompt('a red ball on grass')
    await loading
    expect((await started).value).toMatchObject({ type: 'started' })
    let chunks = 0
    let prompted: GenerationEvent | undefined
    for await (const event of take) {
      if (event.type === 'timing') chunks++
      if (event.type === 'prompted') prompted = event
      if (prompted || chunks > 3) break
    }
    expect(prompted).toMatchObject({ chunk: 2, prompt: 'a red ball on grass' })
  })

  it('leaving the loop stops the take', async () => {
    for await (const event of generator.generate({ ...request, steps: 20 })) {
      if (event.type === 'progress' && event.step === 2) break
    }
    expect((await collect(request)).at(-1)).toMatchObject({ frames: 9 })
  })

  it('errors cross with name, code and advice, and the next take works', async () => {
    await expect(collect({ ...request, prompt: '' })).rejects.toMatchObject({
      name: 'RequestError',
      code: 'empty-prompt',
    })
    expect((await collect(request)).at(-1)).toMatchObject({ frames: 9 })
    await expect(generator.countTokens('a blue cube')).resolves.toMatchObject({ limit: 32 })
  })

  it('plays, pauses and seeks', async () => {
    const states: PreviewState[] = []
    const off = generator.onPreview((state) => states.push(state))
    await collect(request)
    expect(await generator.seek(5)).toEqual({ frame: 5, count: 9, playing: false })
    expect(await generator.seek(500)).toMatchObject({ frame: 8 })
    expect(await generator.play()).toMatchObject({ playing: true })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(await generator.pause()).toMatchObject({ playing: false, count: 9 })
    off()
    expect(new Set(states.map(({ frame }) => frame)).size).toBeGreaterThan(2)
    expect(states.some(({ playing }) => playing)).toBe(true)
  })

  it('holds a take beyond the next one and shows it again', async () => {
    await collect(request)
    const first = await generator.digest()
    const kept = await generator.keep()
    await collect({ ...request, seed: 9, frames: 1 })
    expect(await generator.digest()).not.toBe(first)
    expect(await generator.showKept(kept)).toMatchObject({ count: 9, playing: true })
    expect(await generator.digest()).toBe(first)
    await generator.dropKept([kept])
    await expect(generator.showKept(kept)).rejects.toMatchObject({ code: 'no-frames' })
    // Dropping frees what is held, not what is shown.
    expect((await generator.getFrame(8)).index).toBe(8)
  })

  it('begins with given frames, which do not make the way back', async () => {
    const given = [new Uint8ClampedArray(64 * 64 * 4).fill(200)]
    const wanted = { ...request, given }
    const events = await collect(wanted)
    expect(events[0]).toMatchObject({ type: 'started' })
    expect(events[0]?.type === 'started' && events[0].request).toBe(wanted)
    expect(events.at(-1)).toMatchObject({ type: 'done', frames: 9 })
    const withGiven = await generator.digest()
    await collect(request)
    expect(await generator.digest()).not.toBe(withGiven)
  })

  it('a failed load leaves a clear error and the loaded model usable', async () => {
    const load = generator.load('http://models.test/tiny/missing/', { backend: 'wasm' })
    await expect(load).rejects.toMatchObject({ name: 'ModelError' })
    expect((await collect(request)).at(-1)).toMatchObject({ frames: 9 })
  })
})
