import { describe, expect, it, vi } from 'vitest'

import {
  type Exporter,
  type ExportOptions,
  type FrameSource,
  sliceSource,
} from '../../../src/export/exporter'
import { StudioError } from '../../../src/errors'
import { DEFAULT_SETTINGS, parseSettings } from '../../../src/export/settings'
import type { TakeSettings } from '../../../src/gallery/records'
import { ExportRunner } from '../../../src/store/export-runner'
import { readNote } from '../../../src/store/file-note'
import { createTakeStore } from '../../../src/store/take'
import { settle } from './fake-generator'

const request = { prompt: 'a ball', steps: 4, seed: 7, frames: 9 }

function setUp(stored?: string) {
  const calls: { source: FrameSource; options: ExportOptions }[] = []
  const exporter: Exporter = {
    export: (source, options = {}) => {
      calls.push({ source, options })
      options.onProgress?.(0.5)
      // As a file on disk: there is no blob to save.
      return Promise.resolve({ blob: undefined, bytes: 2000, frames: source.frames, codecName: 'H.264' })
    },
  }
  const local = { getItem: vi.fn(() => stored ?? null), setItem: vi.fn() }
  const handle = { name: 'x' } as FileSystemFileHandle
  const chooseDestination = vi.fn(() => Promise.resolve({ type: 'handle', handle } as const))
  const generator = {
    getFrame: vi.fn((index: number, kept?: number) => Promise.resolve({ index, kept } as never)),
    keep: vi.fn(() => Promise.resolve(11)),
    dropKept: vi.fn(() => Promise.resolve()),
  }
  const take = createTakeStore()
  const runner = new ExportRunner({ exporter, generator, local, chooseDestination }, take, () => ({
    id: 'tiny',
    name: 'Tiny',
  }))
  take.setState({
    phase: 'done',
    shown: { request, width: 64, height: 64, fps: 16, frames: 9, complete: true },
    preview: { frame: 4, count: 9, playing: false },
  })
  return { runner, calls, exporter, local, take, chooseDestination, generator, handle }
}

describe('ExportRunner', () => {
  it('writes the whole take with what is chosen, straight to disk, and says so', async () => {
    vi.useFakeTimers()
    const { runner, calls, handle, chooseDestination } = setUp()
    runner.change({ codec: 'vp9', quality: 'high', scale: 2 })
    await runner.export('mp4')
    expect(chooseDestination).toHaveBeenCalledWith('a-ball-seed7-4steps.mp4')
    expect(calls[0]!.source.frames).toBe(9)
    expect(calls[0]!.options).toMatchObject({
      format: 'mp4',
      file: handle,
      settings: { codec: 'vp9', quality: 'high', scale: 2 },
    })
    expect(readNote(calls[0]!.options.note!)?.settings).toMatchObject({ seed: 7, modelId: 'tiny' })
    expect(runner.store.getState()).toMatchObject({
      phase: 'done',
      message: 'Exported 9 frames as H.264, 2 kB.',
    })
    vi.advanceTimersByTime(10_000)
    expect(runner.store.getState().message).toBeUndefined()
    vi.useRealTimers()
  })

  it('writes a part, several times over; a GIF repeats by itself; a PNG is the frame that is shown', async () => {
    const { runner, calls, generator, chooseDestination } = setUp()
    runner.chooseRange(2, 4)
    runner.change({ loops: 3 })
    await runner.export('mp4')
    await runner.export('gif')
    await runner.export('png')
    expect(calls.map(({ source }) => source.frames)).toEqual([9, 3, 1])
    for (let i = 0; i < 9; i++) await calls[0]!.source.getFrame(i)
    expect(generator.getFrame.mock.calls.map(([index]) => index)).toEqual([2, 3, 4, 2, 3, 4, 2, 3, 4])
    await calls[2]!.source.getFrame(0)
    expect(generator.getFrame).toHaveBeenLastCalledWith(4, 11)
    expect(chooseDestination).toHaveBeenLastCalledWith('a-ball-seed7-4steps-frame4.png')
    expect(calls[1]!.options.file, 'only an MP4 grows on disk').toBeUndefined()
  })

  it('reads the frames of the take that was exported, whatever is made meanwhile, and lets them go', async () => {
    const { runner, calls, generator, take, chooseDestination, handle } = setUp()
    chooseDestination.mockImplementationOnce(async () => {
      // While the picker is open.
      await settle()
      take.setState({ shown: { ...take.getState().shown!, request: { ...request, seed: 8 }, frames: 1 } })
      return { type: 'handle', handle }
    })
    await runner.export('mp4')
    const { source, options } = calls[0]!
    expect(source.frames).toBe(9)
    expect(readNote(options.note!)?.settings.seed).toBe(7)
    await source.getFrame(8)
    expect(generator.getFrame).toHaveBeenLastCalledWith(8, 11)
    expect(generator.keep).toHaveBeenCalledOnce()
    await vi.waitFor(() => expect(generator.dropKept).toHaveBeenCalledExactlyOnceWith([11]))
  })

  it('writes nothing when another take came before its frames were held', async () => {
    const { runner, calls, generator, take, handle } = setUp()
    Object.assign(handle, { getFile: () => Promise.resolve({ size: 5 }) })
    const { shown } = take.getState()
    const over = runner.export('mp4')
    take.setState({ shown: { ...shown!, request: { ...request, seed: 8 } } })
    await over
    const failed = {
      phase: 'error',
      message: expect.stringMatching(/Another take.*Export again\.$/) as string,
    }
    expect(runner.store.getState()).toMatchObject(failed)
    expect(generator.dropKept).toHaveBeenCalledExactlyOnceWith([11])
    // The stage has cleared the old one's frames and has none of the new one's.
    generator.keep.mockRejectedValueOnce(new StudioError('no-frames', 'There is no frame 0.'))
    await runner.export('gif')
    expect(runner.store.getState()).toMatchObject(failed)
    expect(calls).toHaveLength(0)
    await runner.export('gif')
    expect(calls, 'the next one works').toHaveLength(1)
  })

  it('cancelled saves nothing, removes the file that the picker made, and lets the frames go', async () => {
    const { runner, exporter, generator, handle } = setUp()
    const remove = vi.fn(() => Promise.resolve())
    const createWritable = vi.fn()
    Object.assign(handle, { getFile: () => Promise.resolve({ size: 0 }), remove, createWritable })
    exporter.export = (_source, { signal } = {}) =>
      new Promise((_resolve, reject) => {
        signal!.addEventListener('abort', () => reject(signal!.reason as Error))
      })
    const over = runner.export('gif')
    await vi.waitFor(() => expect(runner.store.getState().phase).toBe('running'))
    runner.cancel()
    await over
    expect(createWritable).not.toHaveBeenCalled()
    expect(remove).toHaveBeenCalledOnce()
    expect(runner.store.getState()).toMatchObject({ phase: 'idle' })
    expect(runner.store.getState().message).toMatch(/^Export cancelled\. The empty x was removed\./)
    await vi.waitFor(() => expect(generator.dropKept).toHaveBeenCalledOnce())
  })

  it('cancelled when the file is made but not yet saved, saves nothing', async () => {
    const { runner, exporter, handle } = setUp()
    const createWritable = vi.fn()
    Object.assign(handle, { getFile: () => Promise.resolve({ size: 5 }), createWritable })
    exporter.export = (source) => {
      runner.cancel()
      return Promise.resolve({ blob: new Blob(['x']), bytes: 1, frames: source.frames, codecName: 'GIF' })
    }
    await runner.export('gif')
    expect(createWritable).not.toHaveBeenCalled()
    expect(runner.store.getState()).toMatchObject({ phase: 'idle', message: 'Export cancelled.' })
  })

  it('does nothing when the picker is closed, and opens no second one while it is open', async () => {
    const { runner, calls, generator, chooseDestination } = setUp()
    let closePicker = (): void => undefined
    chooseDestination.mockReturnValueOnce(
      new Promise<never>((resolve) => {
        closePicker = () => resolve(undefined as never)
      }),
    )
    const over = runner.export('mp4')
    await runner.export('gif')
    closePicker()
    await over
    expect(chooseDestination).toHaveBeenCalledOnce()
    expect(calls).toHaveLength(0)
    expect(runner.store.getState()).toMatchObject({ phase: 'idle', message: undefined })
    await vi.waitFor(() => expect(generator.dropKept).toHaveBeenCalledOnce())
    await runner.export('gif')
    expect(calls, 'the next one works').toHaveLength(1)
  })

  it('writes into the file what the take began with and which prompts came later', async () => {
    const { runner, calls, take } = setUp()
    const given = [new Uint8ClampedArray(4)]
    const shown = { ...take.getState().shown!, request: { ...request, given, endless: true } }
    take.setState({ shown: { ...shown, prompts: [{ chunk: 4, prompt: 'a cube' }] } })
    await runner.export('mp4')
    expect(readNote(calls[0]!.options.note!)).toMatchObject({
      settings: { endless: true, givenFrames: 1 },
      notices: [expect.stringMatching(/an image/), expect.stringMatching(/from chunk 4 “a cube”/)],
    })
  })

  it('writes into the file of a kept take what it began with, though those frames are gone', async () => {
    const { runner, calls, take } = setUp()
    const kept: TakeSettings = { ...request, givenFrames: 9 }
    take.setState({ shown: { ...take.getState().shown!, request: kept, playOnly: true } })
    await runner.export('mp4')
    expect(readNote(calls[0]!.options.note!)).toMatchObject({
      settings: { givenFrames: 9 },
      notices: [expect.stringMatching(/9 frames of a clip/)],
    })
  })

  it('leaves a file alone that has something in it', async () => {
    const { runner, exporter, handle } = setUp()
    const remove = vi.fn(() => Promise.resolve())
    Object.assign(handle, { getFile: () => Promise.resolve({ size: 5 }), remove })
    exporter.export = () => Promise.reject(new Error('No encoder'))
    await runner.export('mp4')
    expect(remove).not.toHaveBeenCalled()
    expect(runner.store.getState()).toMatchObject({
      phase: 'error',
      message: 'The export failed: No encoder.',
    })
  })

  it('moves a part with the frames of a take without an end', () => {
    const { runner, take } = setUp()
    runner.chooseRange(3, 5)
    take.setState({ shown: { ...take.getState().shown!, dropped: 4 } })
    expect(runner.store.getState().range).toEqual({ first: 0, last: 1 })
    take.setState({ shown: { ...take.getState().shown!, dropped: 8 } })
    expect(runner.store.getState().range).toBeUndefined()
  })

  it('forgets a part when another take is shown, and one that is the whole', () => {
    const { runner, take } = setUp()
    runner.chooseRange(0, 8)
    expect(runner.store.getState().range).toBeUndefined()
    runner.chooseRange(1, 5)
    take.setState({ shown: { ...take.getState().shown!, request: { ...request, seed: 8 } } })
    expect(runner.store.getState().range).toBeUndefined()
  })

  it('remembers settings, and nothing that is not one', () => {
    const { runner, local } = setUp('{"codec":"av1","quality":"best","scale":3,"loops":0}')
    expect(runner.store.getState().settings).toEqual({ ...DEFAULT_SETTINGS, codec: 'av1' })
    runner.change({ loops: 4 })
    expect(local.setItem).toHaveBeenLastCalledWith('anyflow.export', expect.stringContaining('"loops":4'))
    expect(setUp('not json').runner.store.getState().settings).toEqual(DEFAULT_SETTINGS)
    expect(parseSettings({ loops: 20, scale: 4 })).toMatchObject({ loops: 20, scale: 4 })
  })
})

it('a slice stays within what there is', () => {
  const source = { width: 1, height: 1, fps: 1, frames: 3, getFrame: vi.fn() }
  expect(sliceSource(source, 0, 99, 2).frames).toBe(6)
  expect(sliceSource(source, 7, 9, 1).frames).toBe(1)
})
