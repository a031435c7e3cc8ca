import { describe, expect, it, vi } from 'vitest'

import { ThumbnailCache } from '../../../src/gallery/thumbnail-cache'
import { settle } from '../store/fake-generator'

const take = (id: string, frames = 3) => ({ id, frames, bytes: 10 * frames })

function setUp() {
  const closed: string[] = []
  const read = vi.fn((id: string) =>
    Promise.resolve([{ close: () => closed.push(id) } as unknown as ImageBitmap]),
  )
  return { cache: new ThumbnailCache(read, 2), read, closed }
}

describe('the pictures of thumbnails', () => {
  it('are read once, and closed when others take their place', async () => {
    const { cache, read, closed } = setUp()
    for (const id of ['a', 'b', 'a']) cache.borrow(take(id)).release()
    expect(read).toHaveBeenCalledTimes(2)
    cache.borrow(take('c')).release()
    await settle()
    expect(closed, 'used the longest ago').toEqual(['b'])
    cache.borrow(take('a')).release()
    expect(read).toHaveBeenCalledTimes(3)
  })

  it('stay open while they play', async () => {
    const { cache, closed } = setUp()
    const a = cache.borrow(take('a'))
    for (const id of ['b', 'c', 'd']) cache.borrow(take(id)).release()
    cache.forget('a')
    await settle()
    expect(closed).not.toContain('a')
    a.release()
    a.release()
    await settle()
    expect(closed.filter((id) => id === 'a')).toHaveLength(1)
  })

  it('are read again when the take has other frames', async () => {
    const { cache, read, closed } = setUp()
    cache.borrow(take('a', 3)).release()
    cache.borrow(take('a', 4)).release()
    await settle()
    expect(read).toHaveBeenCalledTimes(2)
    expect(closed).toEqual(['a'])
  })

  it('are read again after a failure', async () => {
    const { cache, read } = setUp()
    read.mockRejectedValueOnce(new Error('damaged'))
    const { pictures, release } = cache.borrow(take('a'))
    await expect(pictures).rejects.toThrow('damaged')
    release()
    await expect(cache.borrow(take('a')).pictures).resolves.toHaveLength(1)
  })
})
