import { describe, expect, it } from 'vitest'

import { readSettings, settingsBox } from '../../../src/export/metadata'
import { readNote, writeNote } from '../../../src/store/file-note'

/** A box with `content` zeros. */
function box(type: string, content: number, large = false): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array((large ? 16 : 8) + content)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, large ? 1 : bytes.length)
  bytes.set(new TextEncoder().encode(type), 4)
  if (large) view.setBigUint64(8, BigInt(bytes.length))
  return bytes
}

describe('settings in an MP4', () => {
  it('are found after the other boxes, also large ones', async () => {
    const file = new Blob([box('ftyp', 16), box('moov', 300), box('mdat', 1000, true), settingsBox('ä note')])
    expect(await readSettings(file)).toBe('ä note')
  })

  it('are not found in other files', async () => {
    for (const parts of [
      [],
      [new Uint8Array(7)],
      [box('ftyp', 16), box('mdat', 20)],
      // Somebody else's uuid box.
      [box('ftyp', 16), box('uuid', 40)],
      // Not an MP4, though our box is in it.
      [settingsBox('note')],
      // Cut short, and a size of nonsense.
      [box('ftyp', 16), settingsBox('note').slice(0, 20)],
      [box('ftyp', 16), Uint8Array.of(0, 0, 0, 3, 1, 2, 3, 4), settingsBox('note')],
    ]) {
      expect(await readSettings(new Blob(parts))).toBeUndefined()
    }
  })
})

describe('a note', () => {
  const request = { prompt: 'a red ball & "more"', steps: 4, seed: 12, frames: 33 }

  it('gives the settings back', () => {
    const text = writeNote(request, { id: 'worlds-128', name: 'Worlds', path: 'worlds-128' })
    expect(readNote(text)).toEqual({
      settings: {
        prompt: 'a red ball & "more"',
        steps: 4,
        seed: 12,
        length: 33,
        model: 'worlds-128',
        modelId: 'worlds-128',
        modelName: 'Worlds',
      },
      notices: [],
    })
  })

  it('says what no link can: without an end, from an image, with another prompt later', () => {
    const text = writeNote(
      {
        ...{ prompt: 'a ball', steps: 4, seed: 1, frames: 33, endless: true, givenFrames: 1 },
        prompts: [{ chunk: 3, prompt: 'a cube' }],
      },
      { id: 'worlds-128', name: 'Worlds' },
    )
    const note = readNote(text)
    expect(note?.settings).toMatchObject({ endless: true, givenFrames: 1 })
    expect(note?.notices).toEqual([
      expect.stringMatching(/began with an image.*Choose the image again/),
      expect.stringMatching(/from chunk 3 “a cube”/),
    ])
    expect(
      readNote(JSON.stringify({ app: 'AnyFlow Studio', prompts: [5], givenFrames: 'one' }))?.notices,
    ).toEqual([])
  })

  it('is checked like a link', () => {
    const note = readNote(JSON.stringify({ app: 'AnyFlow Studio', link: '?steps=99&seed=-1', modelId: 5 }))
    expect(note?.settings).toEqual({})
    expect(note?.notices).toHaveLength(2)
    for (const text of ['', 'null', '{"app":"other"}', '[1]']) expect(readNote(text)).toBeUndefined()
  })
})
