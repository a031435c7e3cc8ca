/** A live take on the stage: the newest frames are held, and the engine is held back while nobody watches. */

import { describe, expect, it } from 'vitest'

import { Player } from '../../src/render/player'
import { Stage } from '../../src/worker/stage'
import type { FromStage } from '../../src/worker/protocol'

const frame = (value: number): Uint8ClampedArray<ArrayBuffer> => Uint8ClampedArray.of(value, 0, 0, 255)

function setUp() {
  const stage = new Stage(() => undefined)
  const { port1, port2 } = new MessageChannel()
  stage.connect(port2)
  const done: number[] = []
  port1.onmessage = (event: MessageEvent<FromStage>) => {
    if (event.data.type === 'done') done.push(event.data.seq)
  }
  let seq = 0
  const send = (message: Record<string, unknown>): number => {
    port1.postMessage({ ...message, seq: ++seq })
    return seq
  }
  const close = (): void => {
    port1.close()
    port2.close()
  }
  return { stage, send, done, close }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('a live take on the stage', () => {
  it('holds the newest frames, numbered from the oldest of them', async () => {
    const { stage, send, done, close } = setUp()
    send({ type: 'begin', width: 1, height: 1, fps: 1000, hold: 4 })
    for (let first = 0; first < 10; first += 2) {
      const seq = send({ type: 'pixels', first, frames: [frame(first), frame(first + 1)] })
      // At 1000 frames a second the player keeps up.
      while (!done.includes(seq)) await sleep(5)
    }
    expect([0, 1, 2, 3].map((index) => stage.frame(index).rgba[0])).toEqual([6, 7, 8, 9])
    expect(() => stage.frame(4)).toThrow(/no frame 4/)
    await stage.pause()
    close()
  })

  it('answers only when what was made has been seen, or the take is to end', async () => {
    const { stage, send, done, close } = setUp()
    const begin = send({ type: 'begin', width: 1, height: 1, fps: 1, hold: 4 })
    const few = send({ type: 'pixels', first: 0, frames: [frame(0)] })
    const many = send({ type: 'pixels', first: 1, frames: [frame(1), frame(2), frame(3)] })
    await sleep(50)
    expect(done).toEqual([begin, few])
    expect(stage.setPlayback({ loop: true, rate: 1 }).waiting, 'and says so').toBe(true)
    const finish = send({ type: 'finish' })
    await sleep(50)
    expect(done.sort()).toEqual([begin, few, many, finish])
    await stage.pause()
    close()
  })
})

describe('a live take that nobody follows', () => {
  /** Ten frames, of which sixty are held: more than the take may be ahead of the player at two frames a second. */
  function ahead() {
    const all = setUp()
    all.send({ type: 'begin', width: 1, height: 1, fps: 2, hold: 60 })
    const frames = Array.from({ length: 10 }, (_, i) => frame(i))
    return { ...all, held: all.send({ type: 'pixels', first: 0, frames }) }
  }

  it('runs no more than a moment ahead, and goes on once its newest frames are looked at', async () => {
    const { stage, held, done, close } = ahead()
    await sleep(50)
    expect(done).not.toContain(held)
    await stage.seek(2)
    await sleep(20)
    expect(done, 'seven frames are still ahead').not.toContain(held)
    expect((await stage.seek(9)).waiting).toBeUndefined()
    await sleep(20)
    expect(done).toContain(held)
    close()
  })

  it('comes to the end of its chunk when that is to be made again, also while paused', async () => {
    const { stage, send, held, done, close } = ahead()
    await sleep(20)
    await stage.pause()
    const hurry = send({ type: 'let-go' })
    const rest = send({ type: 'pixels', first: 10, frames: [frame(10)] })
    await sleep(50)
    expect(done).toEqual(expect.arrayContaining([held, hurry, rest]))
    send({ type: 'truncate', count: 8 })
    const again = send({ type: 'pixels', first: 8, frames: [frame(8)] })
    await sleep(50)
    expect(done, 'from then on it waits as before').not.toContain(again)
    send({ type: 'finish' })
    await sleep(20)
    close()
  })
})

describe('a live player', () => {
  it('waits at its last frame and goes on when there are more', () => {
    const player = new Player()
    player.reset(10, 0, true)
    player.setCount(2, 0)
    expect([0, 100, 200, 900].map((now) => player.frameAt(now))).toEqual([0, 1, 1, 1])
    player.setCount(4, 1000)
    expect([1000, 1100, 1200, 1300].map((now) => player.frameAt(now))).toEqual([1, 2, 3, 3])
  })

  it('stays on its frame while older ones go, and loops once it is over', () => {
    const player = new Player()
    player.reset(10, 0, true)
    player.setCount(4, 0)
    expect(player.frameAt(200)).toBe(2)
    player.shift(1, 200)
    expect(player.frameAt(200)).toBe(1)
    expect(player.frameAt(300)).toBe(2)
    player.finish(300)
    expect(player.frameAt(400)).toBe(0)
  })
})
