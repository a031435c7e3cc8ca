import { describe, expect, it } from 'vitest'

import {
  applyExample,
  askedFrames,
  createRequestStore,
  currentSeed,
  nearestLength,
  rollSeed,
  takeSeed,
  typeSeed,
  unusedPrompt,
} from '../../../src/store/request'
import { parseSeed } from '../../../src/store/seed'

const fresh = () => createRequestStore({}, [], true)

describe('the seed', () => {
  it('is used once when unlocked, then drawn anew', () => {
    const store = fresh()
    const shown = currentSeed(store.getState())
    expect(takeSeed(store)).toBe(shown)
    expect(takeSeed(store)).not.toBe(shown)
  })

  it('is what the field shows after every take', () => {
    const store = fresh()
    for (let i = 0; i < 3; i++) expect(takeSeed(store)).toBe(currentSeed(store.getState()))
  })

  it('stays when it was typed or came with a link', () => {
    const store = fresh()
    typeSeed(store, '42')
    expect([takeSeed(store), takeSeed(store)]).toEqual([42, 42])
    const linked = createRequestStore({ seed: 5 }, [], true)
    expect([takeSeed(linked), takeSeed(linked)]).toEqual([5, 5])
  })

  it('comes with an example unless it is locked', () => {
    const store = fresh()
    applyExample(store, { prompt: 'a ball', seed: 11 })
    expect(takeSeed(store)).toBe(11)
    typeSeed(store, '12')
    applyExample(store, { prompt: 'a cube', seed: 13 })
    expect(store.getState().prompt).toBe('a cube')
    expect(takeSeed(store)).toBe(12)
  })

  it('is refused when it is not one', () => {
    const store = fresh()
    typeSeed(store, 'seven')
    expect(takeSeed(store)).toBeUndefined()
    rollSeed(store)
    expect(takeSeed(store)).toBeTypeOf('number')
  })

  it('parses whole numbers in range only', () => {
    expect(parseSeed(' 7 ')).toBe(7)
    expect(parseSeed('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER)
    for (const bad of ['', '-1', '1.5', '9007199254740992', '0x10', '1 2'])
      expect(parseSeed(bad)).toBeUndefined()
  })
})

describe('nearestLength', () => {
  it('takes the closest, the shorter of two', () => {
    expect(nearestLength([1, 9, 17, 25, 33], 20)).toBe(17)
    expect(nearestLength([1, 9, 17], 13)).toBe(9)
    expect(nearestLength([1, 9, 17], 999)).toBe(17)
    expect(nearestLength([], 5)).toBeUndefined()
  })
})

describe('an Endless take', () => {
  it('is asked for with the longest length, whatever the Length', () => {
    expect(askedFrames({ endless: true, length: 9 }, [1, 9, 33])).toBe(33)
    expect(askedFrames({ endless: false, length: 9 }, [1, 9, 33])).toBe(9)
    expect(askedFrames({ endless: true, length: 9 }, [])).toBeUndefined()
  })

  it('is said to keep its prompt while the one typed cannot be used', () => {
    expect(unusedPrompt(' ', undefined)).toMatch(/keeps its last prompt until you type one/)
    expect(unusedPrompt('a ball', { used: 33, limit: 32 })).toMatch(/until you shorten this one/)
    expect(unusedPrompt('a ball', { used: 32, limit: 32 })).toBeUndefined()
    expect(unusedPrompt('a ball', undefined)).toBeUndefined()
  })
})
