import { describe, expect, it, vi } from 'vitest'

import { focusCard } from '../../../src/app/gallery/focus-card'
import { placeOf } from '../../../src/store/gallery'

/** As much of an element as is asked of it. */
function region(count: number) {
  const cards = Array.from({ length: count }, () => ({ focus: vi.fn() }))
  const button = { focus: vi.fn() }
  const element = { querySelectorAll: () => cards, querySelector: () => button } as unknown as Element
  const focused = () => [...cards, button].findIndex(({ focus }) => focus.mock.calls.length > 0)
  return { element, focused }
}

describe('the focus after a deletion', () => {
  it.each([
    ['the card in its place', 3, 1, 1],
    ['the last card', 2, 2, 1],
    ['a button of the gallery, without cards', 0, 0, 0],
  ])('goes to %s', (_name, count, place, expected) => {
    const { element, focused } = region(count)
    focusCard(element, place)
    expect(focused()).toBe(expected)
  })

  it('knows the place by when the takes were made, newest first', () => {
    const takes = [9, 6, 3].map((made) => ({ made }))
    expect([10, 7, 6, 1].map((made) => placeOf({ made }, takes))).toEqual([0, 1, 1, 3])
  })
})
