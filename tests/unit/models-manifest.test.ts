import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { parseManifest } from '../../src/models/manifest'
import { pathOf } from './support/vectors'

type Json = Record<string, unknown>

/** The fixture's manifest, parsed anew, with one change. */
function changed(change: (manifest: Json) => void): Json {
  const manifest = JSON.parse(readFileSync(pathOf('../../fixtures/tiny/manifest.json'), 'utf8')) as Json
  change(manifest)
  return manifest
}

function refusal(change: (manifest: Json) => void): { code: string; message: string } {
  try {
    parseManifest(changed(change))
  } catch (error) {
    expect(error).toMatchObject({ name: 'ModelError' })
    return error as { code: string; message: string }
  }
  throw new Error('the manifest was accepted')
}

describe('parseManifest', () => {
  it("reads the exporter's manifest", () => {
    const manifest = parseManifest(changed(() => undefined))
    expect(manifest.transformer.chunkPlan).toEqual({ first: 1, rest: 2 })
    expect(manifest.graphs.decoder.state.length).toBeGreaterThan(0)
    expect(manifest.graphs.step.externalData).toEqual(['transformer.bin'])
  })

  it('refuses another format by name', () => {
    const { code, message } = refusal((m) => (m['format'] = 'anyflow-studio/9'))
    expect(code).toBe('wrong-format')
    expect(message).toContain('anyflow-studio/9')
  })

  const cases: [string, (manifest: Json) => void, string][] = [
    ['a missing field', (m) => delete (m['video'] as Json)['fps'], 'video.fps'],
    ['a field of another type', (m) => ((m['video'] as Json)['width'] = '64'), 'video.width'],
    ['a path out of the package', (m) => ((m['text'] as Json)['vocab'] = '../secret'), 'text.vocab'],
    ['an absolute address', (m) => ((m['text'] as Json)['vocab'] = 'https://x/y'), 'text.vocab'],
    ['a file that is not listed', (m) => ((m['text'] as Json)['vocab'] = 'other.txt'), 'text.vocab'],
    ['a short hash', (m) => ((m['files'] as Json[])[0]!['sha256'] = 'abc'), 'files.0.sha256'],
    ['a stride that does not fit', (m) => ((m['video'] as Json)['spatialStride'] = 7), 'video.spatialStride'],
    ['heads that do not fit', (m) => ((m['transformer'] as Json)['heads'] = 3), 'transformer.heads'],
    ['no step graph', (m) => delete (m['graphs'] as Json)['step'], 'graphs.step'],
  ]
  it.each(cases)('names the field of %s', (_name, change, field) => {
    const { code, message } = refusal(change)
    expect(code).toBe('bad-manifest')
    expect(message).toContain(`: ${field}: `)
    expect(message).toMatch(/Export the package again/)
  })

  it.each([null, 3, 'text', [], {}])('refuses %j', (value) => {
    expect(() => parseManifest(value)).toThrow(/manifest.json is not valid/)
  })
})
