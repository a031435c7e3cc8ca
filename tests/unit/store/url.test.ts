import { describe, expect, it } from 'vitest'

import { formatLink, parseLink } from '../../../src/store/url'

describe('parseLink', () => {
  it('reads every parameter', () => {
    const { request, problems } = parseLink(
      '?prompt=a+red+ball&seed=9007199254740991&steps=64&length=33&model=worlds-128&backend=wasm',
    )
    expect(request).toEqual({
      prompt: 'a red ball',
      seed: Number.MAX_SAFE_INTEGER,
      steps: 64,
      length: 33,
      model: 'worlds-128',
      backend: 'wasm',
    })
    expect(problems).toEqual([])
  })

  it.each([
    ['seed=-1', /seed "-1" .* random/],
    ['seed=9007199254740992', /seed .* 9007199254740991/],
    ['seed=1e3', /seed "1e3"/],
    ['steps=0', /steps "0" .* 1 to 64\. 4 is used/],
    ['steps=65', /steps "65"/],
    ['steps=2.5', /steps "2.5"/],
    ['length=0', /length "0"/],
    ['length=long', /length "long"/],
    ['backend=cuda', /backend "cuda" .* auto, webgpu, wasm\. auto is used/],
  ])('names the bad value in %s and leaves it out', (search, message) => {
    const { request, problems } = parseLink(`?${search}&prompt=kept`)
    expect(request).toEqual({ prompt: 'kept' })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(message)
  })
})

describe('formatLink', () => {
  it('gives back what it was read from', () => {
    const request = {
      prompt: 'a & b = ü?',
      seed: 3,
      steps: 7,
      length: 9,
      model: '/fixtures/tiny/',
      backend: 'webgpu',
    } as const
    expect(parseLink(formatLink('', request)).request).toEqual(request)
  })

  it('keeps foreign parameters and drops what is the default', () => {
    expect(formatLink('?test=1&backend=wasm&seed=4', { steps: 2, backend: 'auto' })).toBe('?test=1&steps=2')
  })
})
