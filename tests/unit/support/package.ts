import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import type { Fetch } from '../../../src/models/download'
import { pathOf } from './vectors'

/** Address under which {@link folderFetch} serves. */
export const BASE = 'http://models.test/tiny/'

/** A fetch that reads a folder; `change` may replace, cut or (by undefined) remove a file. */
export function folderFetch(
  change: (name: string, bytes: Uint8Array) => Uint8Array | undefined = (_name, bytes) => bytes,
): Fetch & { readonly asked: string[] } {
  const asked: string[] = []
  const folder = pathOf('../../fixtures/tiny')
  const fetch: Fetch = (url, init) => {
    if (init?.signal?.aborted) return Promise.reject(new DOMException('aborted', 'AbortError'))
    const name = url.slice(BASE.length)
    asked.push(name)
    const bytes = change(name, new Uint8Array(readFileSync(resolve(folder, name))))
    return Promise.resolve(
      bytes ? new Response(bytes as Uint8Array<ArrayBuffer>) : new Response('gone', { status: 404 }),
    )
  }
  return Object.assign(fetch, { asked })
}
