/** An exported MP4 gives its settings back: dropped, or chosen in the gallery, where a finger can. */

import { describe, expect, it, vi } from 'vitest'

import type { LoadedModel } from '../../../src/engine/types'
import { settingsBox } from '../../../src/export/metadata'
import { writeNote } from '../../../src/store/file-note'
import { createModelStore } from '../../../src/store/model'
import { importFile, openFile } from '../../../src/store/open-file'
import { createRequestStore } from '../../../src/store/request'
import { createSourceStore, type Task } from '../../../src/store/source'

function setUp(task: Task = 'text') {
  const model = createModelStore()
  model.setState({
    phase: 'ready',
    loaded: { manifest: { id: 'tiny', name: 'Tiny' }, lengths: [1, 9, 17] } as unknown as LoadedModel,
  })
  const store = createSourceStore()
  store.setState({ task })
  return {
    request: createRequestStore({ prompt: 'before', seed: 1, steps: 2, length: 9 }, [], false),
    model,
    runner: { forgetRemake: vi.fn() },
    choose: vi.fn(() => Promise.resolve()),
    isInstalled: vi.fn(() => Promise.resolve(false)),
    gallery: { importFile: vi.fn(() => Promise.resolve()) },
    sources: { store, useFile: vi.fn(() => Promise.resolve()) },
  }
}

const head = Uint8Array.from([0, 0, 0, 8, ...new TextEncoder().encode('ftyp')])
const note = writeNote(
  { prompt: 'a ball', steps: 4, seed: 7, frames: 17, endless: true, givenFrames: 9 },
  { id: 'tiny', name: 'Tiny' },
)
const exported = new File([head, settingsBox(note)], 'clip.mp4', { type: 'video/mp4' })
const other = new File([head], 'other.mp4', { type: 'video/mp4' })
const take = new File(['x'], 'take.anyflow')

describe('a file chosen in the gallery', () => {
  it('that was exported gives its settings back whatever the task, and says what it does not hold', async () => {
    for (const task of ['text', 'image', 'continue'] as const) {
      const target = setUp(task)
      await importFile(target, exported)
      expect(target.request.getState()).toMatchObject({
        ...{ prompt: 'a ball', steps: 4, seedText: '7', length: 17, endless: true },
        notices: [expect.stringMatching(/9 frames of a clip.*Choose the clip again under Continue/)],
      })
      expect(target.gallery.importFile).not.toHaveBeenCalled()
      expect(target.sources.useFile).not.toHaveBeenCalled()
    }
  })

  it('that is a take goes to the gallery, and a video without settings is refused', async () => {
    const target = setUp()
    await importFile(target, take)
    expect(target.gallery.importFile).toHaveBeenCalledExactlyOnceWith(take)
    await importFile(target, other)
    expect(target.request.getState()).toMatchObject({
      prompt: 'before',
      notices: [expect.stringMatching(/^other\.mp4 holds no settings.*Choose an MP4/)],
    })
    expect(target.sources.useFile).not.toHaveBeenCalled()
  })
})

it('a dropped MP4 is what the task asks for', async () => {
  const text = setUp()
  await openFile(text, exported)
  expect(text.request.getState().prompt).toBe('a ball')
  const clip = setUp('continue')
  await openFile(clip, exported)
  expect(clip.sources.useFile).toHaveBeenCalledExactlyOnceWith(exported)
  expect(clip.request.getState().prompt).toBe('before')
})
