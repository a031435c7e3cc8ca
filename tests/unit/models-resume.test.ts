import { describe, expect, it, vi } from 'vitest'

import type { Fetch } from '../../src/models/download'
import { downloadResumable } from '../../src/models/resume'
import { MemoryParts } from './support/memory-cache'

const WHOLE = Uint8Array.from({ length: 1000 }, (_, i) => i % 251)

/** A server that breaks each connection after `bytes` (all when undefined) and may or may not know ranges. */
function server(breaks: (number | undefined)[], ranges = true) {
  const asked: (string | undefined)[] = []
  const fetch: Fetch = (_url, init) => {
    const range = (init?.headers as Record<string, string> | undefined)?.['Range']
    asked.push(range)
    const from = ranges && range ? Number(/bytes=(\d+)-/.exec(range)![1]) : 0
    const limit = breaks.shift()
    const rest = WHOLE.slice(from, limit === undefined ? undefined : from + limit)
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        // What was sent before the break has arrived.
        if (rest.length > 0 && !sent.has(controller)) {
          sent.add(controller)
          controller.enqueue(rest)
        } else if (limit !== undefined) controller.error(new TypeError('network error'))
        else controller.close()
      },
    })
    const headers = from > 0 ? { 'content-range': `bytes ${from}-${WHOLE.length - 1}/${WHOLE.length}` } : {}
    return Promise.resolve(new Response(body, { status: from > 0 ? 206 : 200, headers }))
  }
  const sent = new WeakSet()
  return { fetch, asked }
}

const options = { hash: 'h', expectedBytes: WHOLE.length, retryDelays: [0, 0, 0] }

describe('a download', () => {
  it('goes on by ranges where the connection broke', async () => {
    const { fetch, asked } = server([300, 200, undefined])
    const loaded: number[] = []
    const bytes = await downloadResumable('http://x/f', 'f', {
      ...options,
      fetch,
      onBytes: (count) => loaded.push(count),
    })
    expect(bytes).toEqual(WHOLE)
    expect(asked).toEqual([undefined, 'bytes=300-', 'bytes=500-'])
    expect(loaded).toEqual([300, 500, 1000])
  })

  it('goes on in a later visit from what was kept', async () => {
    const parts = new MemoryParts()
    const first = server([400, 0, 0, 0, 0])
    await expect(
      downloadResumable('http://x/f', 'f', { ...options, parts, fetch: first.fetch }),
    ).rejects.toMatchObject({
      code: 'network',
    })
    const later = server([undefined])
    expect(await downloadResumable('http://x/f', 'f', { ...options, parts, fetch: later.fetch })).toEqual(
      WHOLE,
    )
    expect(later.asked).toEqual(['bytes=400-'])
  })

  it('starts over on a server without ranges', async () => {
    const { fetch } = server([300, undefined], false)
    expect(await downloadResumable('http://x/f', 'f', { ...options, fetch })).toEqual(WHOLE)
  })

  it('is given up after connections that bring nothing, and not on the first', async () => {
    const fetch = vi.fn(() => Promise.reject(new TypeError('Failed to fetch')))
    await expect(downloadResumable('http://x/f', 'f', { ...options, fetch })).rejects.toMatchObject({
      code: 'network',
    })
    expect(fetch).toHaveBeenCalledTimes(4)
  })

  it('keeps what it has while the server forbids or misses the file', async () => {
    const parts = new MemoryParts()
    parts.files.set('h', [WHOLE.slice(0, 300)])
    for (const status of [403, 404]) {
      const fetch: Fetch = () => Promise.resolve(new Response('no', { status }))
      await expect(downloadResumable('http://x/f', 'f', { ...options, fetch, parts })).rejects.toThrow(
        `HTTP ${status}`,
      )
    }
    const { fetch, asked } = server([undefined])
    expect(await downloadResumable('http://x/f', 'f', { ...options, fetch, parts })).toEqual(WHOLE)
    expect(asked).toEqual(['bytes=300-'])
  })

  it('keeps what it has when it is stopped', async () => {
    const parts = new MemoryParts()
    const controller = new AbortController()
    const { fetch } = server([300, undefined])
    const stopping = downloadResumable('http://x/f', 'f', {
      ...options,
      parts,
      fetch,
      signal: controller.signal,
      onBytes: () => controller.abort(),
    })
    await expect(stopping).rejects.toMatchObject({ code: 'aborted' })
    expect(parts.files.get('h')![0]).toHaveLength(300)
  })

  it('does not ask again for what is missing, nor keep what is too long', async () => {
    const parts = new MemoryParts()
    const missing = vi.fn(() => Promise.resolve(new Response('gone', { status: 404 })))
    await expect(
      downloadResumable('http://x/f', 'f', { ...options, parts, fetch: missing }),
    ).rejects.toMatchObject({ code: 'missing-file' })
    expect(missing).toHaveBeenCalledOnce()
    const { fetch } = server([undefined])
    await expect(
      downloadResumable('http://x/f', 'f', { ...options, parts, expectedBytes: 999, fetch }),
    ).rejects.toMatchObject({ code: 'wrong-size' })
    expect(parts.files.size).toBe(0)
  })
})
