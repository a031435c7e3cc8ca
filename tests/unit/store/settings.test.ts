import { describe, expect, it, vi } from 'vitest'

import type { LoadedModel } from '../../../src/engine/types'
import { restoreSettings } from '../../../src/store/kept-take'
import { createModelStore } from '../../../src/store/model'
import { createRequestStore } from '../../../src/store/request'
import { applySettings } from '../../../src/store/settings'
import { createSourceStore } from '../../../src/store/source'

function setUp(modelId = 'tiny') {
  const request = createRequestStore({ prompt: 'before', seed: 1, steps: 2, length: 9 }, [], false)
  const model = createModelStore()
  model.setState({
    phase: 'ready',
    index: { default: 'tiny', models: ['tiny', 'worlds'] },
    loaded: { manifest: { id: modelId, name: modelId }, lengths: [1, 9, 17] } as unknown as LoadedModel,
  })
  const target = {
    request,
    model,
    runner: { forgetRemake: vi.fn() },
    choose: vi.fn(() => Promise.resolve()),
    isInstalled: vi.fn(() => Promise.resolve(false)),
  }
  return { ...target, target }
}

const kept = { prompt: 'a ball', steps: 4, seed: 7, frames: 17 }

describe('restoring settings', () => {
  it('sets the request, locks the seed, and does not make the last take again', async () => {
    const { target, request, runner, choose } = setUp()
    await restoreSettings(target, { request: kept, model: { id: 'tiny', name: 'Tiny' } })
    expect(request.getState()).toMatchObject({
      prompt: 'a ball',
      steps: 4,
      seedText: '7',
      seedLocked: true,
      length: 17,
      notices: [],
    })
    expect(runner.forgetRemake).toHaveBeenCalledOnce()
    expect(choose).not.toHaveBeenCalled()
  })

  it('goes to the Text task, unless the take began with something', async () => {
    const { target } = setUp()
    const sources = { store: createSourceStore() }
    sources.store.setState({ task: 'image' })
    await applySettings({ ...target, sources }, { prompt: 'a ball', givenFrames: 1 })
    expect(sources.store.getState().task).toBe('image')
    await applySettings({ ...target, sources }, { prompt: 'a ball' })
    expect(sources.store.getState().task).toBe('text')
  })

  it('keeps the task of a take whose image must be given again, restores the rest, and says so', async () => {
    const { target, request } = setUp()
    const sources = { store: createSourceStore() }
    sources.store.setState({ task: 'image' })
    const model = { id: 'tiny', name: 'Tiny' }
    await restoreSettings({ ...target, sources }, { request: { ...kept, givenFrames: 1 }, model })
    expect(sources.store.getState().task).toBe('image')
    expect(request.getState()).toMatchObject({
      ...{ prompt: 'a ball', steps: 4, seedText: '7', length: 17 },
      notices: [expect.stringMatching(/Choose the image again under Image/)],
    })
    await restoreSettings({ ...target, sources }, { request: kept, model })
    expect(sources.store.getState().task).toBe('text')
    expect(request.getState().notices).toEqual([])
  })

  it('loads the model that the take was made with', async () => {
    const { target, choose, request } = setUp()
    const model = { id: 'worlds-128', name: 'Worlds', path: 'worlds' }
    await restoreSettings(target, { request: { ...kept, frames: 33 }, model })
    expect(choose).toHaveBeenCalledExactlyOnceWith({ model: 'worlds' })
    expect(request.getState().length, 'the other model decides').toBe(33)
  })

  it('says so when that model is not here, and fits the length to the one that is', async () => {
    const { target, choose, request } = setUp()
    const model = { id: 'far', name: 'Far away', path: 'https://example.org/far/' }
    await restoreSettings(target, { request: { ...kept, frames: 33 }, model })
    expect(choose).not.toHaveBeenCalled()
    expect(request.getState().length).toBe(17)
    expect(request.getState().notices).toEqual([
      expect.stringMatching(/Far away, which is not here; tiny is used/),
    ])
    target.isInstalled.mockResolvedValue(true)
    await restoreSettings(target, { request: kept, model })
    expect(choose).toHaveBeenCalledOnce()
  })
})
