import { describe, expect, it, vi } from 'vitest'

import {
  type Exporter,
  type ExportOptions,
  type FrameSource,
  sliceSource,
} from '../../../src/export/exporter'
import { DEFAULT_SETTINGS, parseSettings } from '../../../src/export/settings'
import { ExportRunner } from '../../../src/store/export-runner'
import { readNote } from '../../../src/store/file-note'
import { createTakeStore } from '../../../src/store/take'

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
  const generator = { getFrame: vi.fn((index: number) => Promise.resolve({ index } as never)) }
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
  return { runner, calls, local, take, chooseDestination, generator, handle }
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
    expect(generator.getFrame.mock.calls.flat()).toEqual([2, 3, 4, 2, 3, 4, 2, 3, 4])
    await calls[2]!.source.getFrame(0)
    expect(generator.getFrame).toHaveBeenLastCalledWith(4)
    expect(chooseDestination).toHaveBeenLastCalledWith('a-ball-seed7-4steps-frame4.png')
    expect(calls[1]!.options.file, 'only an MP4 grows on disk').toBeUndefined()
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
