/** The engine worker's calls. */

import { Engine, type EngineOptions } from '../engine/engine'
import { StudioError } from '../errors'
import type { EngineCalls } from './protocol'
import type { Handlers } from './rpc'
import { StageLink } from './stage-link'
import { StopFlag } from './stop-flag'
import { TakeStream } from './take-stream'

/** @param options how the engine fetches and keeps files. */
export function engineHandlers(options: Promise<EngineOptions>): Handlers<EngineCalls> {
  const engine = options.then((ready) => new Engine(ready))
  const takes = new Map<number, TakeStream>()
  let stage: StageLink | undefined
  let nextTake = 1
  /** Seed that the running take is to make its newest chunk again with, until the take has seen it. */
  let redoSeed: number | undefined
  const redo = (): number | undefined => {
    const seed = redoSeed
    redoSeed = undefined
    return seed
  }
  /** Of the take asked for last, as it is edited while that runs. */
  let edited = { prompt: '' }
  // Loads and starts change what is loaded or running: one after the other.
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work, work)
    turn = result.catch(() => undefined)
    return result
  }
  const finishTakes = async (): Promise<void> => {
    for (const take of takes.values()) await take.finish()
  }

  return {
    connect: ({ stage: port }) => {
      stage = new StageLink(port)
      return undefined
    },
    load: ({ url, backend }, { signal, progress }) =>
      inTurn(async () => {
        await finishTakes()
        return (await engine).load(url, { backend, signal, onProgress: progress })
      }),
    countTokens: async ({ prompt }) => (await engine).countTokens(prompt),
    start: ({ request, stopFlag }) => {
      // Before its turn comes the prompt may have been edited already.
      const own = { prompt: request.prompt }
      edited = own
      return inTurn(async () => {
        await finishTakes()
        if (!stage) throw new StudioError('internal', 'The engine worker has no stage. Reload the page.')
        const ready = await engine
        const take = nextTake++
        redoSeed = undefined
        takes.set(
          take,
          new TakeStream(
            (signal, isStopped) =>
              ready.generate(request, signal, { isStopped, redo, prompt: () => own.prompt }),
            stage,
            stopFlag && new StopFlag(stopFlag),
          ),
        )
        return { take }
      })
    },
    next: async ({ take }) => {
      const stream = takes.get(take)
      if (!stream) return undefined
      try {
        const event = await stream.next()
        if (event === undefined || event.type === 'done') takes.delete(take)
        return event
      } catch (error) {
        takes.delete(take)
        throw error
      }
    },
    stop: ({ take }) => {
      takes.get(take)?.stop()
      return undefined
    },
    setPrompt: (args) => {
      edited.prompt = args.prompt
      return undefined
    },
    redoChunk: ({ seed }) => {
      redoSeed = seed
      // Held back because nobody looks at its end, it would not even be asked.
      void stage?.letGo()
      return undefined
    },
    destroyDevice: async () => {
      ;(await engine).device?.destroy()
      return undefined
    },
    dispose: () =>
      inTurn(async () => {
        await finishTakes()
        await (await engine).dispose()
        return undefined
      }),
  }
}
