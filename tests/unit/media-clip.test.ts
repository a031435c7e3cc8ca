/** Reading a video file, on a stand-in for the browser's element. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { openClip } from '../../src/media/clip'
import type * as Pixels from '../../src/media/pixels'

vi.mock('../../src/media/pixels', async (original) => ({
  ...(await original<typeof Pixels>()),
  readPixels: (video: FakeVideo) => Uint8ClampedArray.of(Math.round(video.currentTime * 10)),
}))

/** Finds a place when `answer` is called, and never by itself. */
class FakeVideo extends EventTarget {
  readonly HAVE_CURRENT_DATA = 2
  readonly videoWidth = 8
  readonly videoHeight = 8
  readonly duration = 4
  readyState = 2
  seeking = false
  freed = false
  private time = 0

  get currentTime(): number {
    return this.time
  }
  set currentTime(time: number) {
    this.time = time
    this.seeking = true
  }
  set src(_url: string) {
    queueMicrotask(() => this.dispatchEvent(new Event('loadeddata')))
  }
  removeAttribute(): void {
    this.freed = true
  }
  load(): void {}

  /** Lets what can happen happen, then ends the seek. */
  async answer(): Promise<void> {
    await tick()
    this.seeking = false
    this.dispatchEvent(new Event('seeked'))
    await tick()
  }
}

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

let video: FakeVideo

beforeEach(() => {
  video = new FakeVideo()
  vi.stubGlobal('document', { createElement: () => video })
})
afterEach(() => void vi.unstubAllGlobals())

/** Ten frames a second. */
const open = () => openClip(new Blob(), 'clip.mp4', 10, { width: 8, height: 8 })

describe('a clip that is read', () => {
  it('can be stopped in the middle of a seek that is never answered, and read again', async () => {
    const clip = await open()
    const controller = new AbortController()
    const stopped = clip.read(0, 3, controller.signal)
    await tick()
    controller.abort()
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' })
    const again = clip.read(20, 2)
    await video.answer()
    await video.answer()
    expect((await again).map((rgba) => rgba[0])).toEqual([21, 22])
  })

  it('can be stopped while it waits in line', async () => {
    const clip = await open()
    const first = clip.read(0, 1)
    const controller = new AbortController()
    const second = clip.read(5, 1, controller.signal)
    controller.abort()
    await expect(second).rejects.toMatchObject({ code: 'aborted' })
    await video.answer()
    expect(await first).toHaveLength(1)
  })

  it('does not take the answer to an earlier seek for its own', async () => {
    const clip = await open()
    const read = clip.read(20, 1)
    await tick()
    video.dispatchEvent(new Event('seeked'))
    let isRead = false
    void read.then(() => (isRead = true))
    await tick()
    expect(isRead, 'it still seeks').toBe(false)
    await video.answer()
    expect((await read)[0]![0]).toBe(21)
  })

  it('is freed only when what reads it is done', async () => {
    const clip = await open()
    const read = clip.read(0, 1)
    clip.close()
    await tick()
    expect(video.freed).toBe(false)
    await video.answer()
    await read
    await vi.waitFor(() => expect(video.freed).toBe(true))
  })
})
