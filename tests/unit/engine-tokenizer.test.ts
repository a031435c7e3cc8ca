import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { splitWords, WordPiece } from '../../src/engine/tokenizer'
import { pathOf } from './support/vectors'

const vocabulary = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  'a',
  'ball',
  '##s',
  'bounc',
  '##ing',
  '.',
  'cafe',
  '雪',
].join('\n')

describe('WordPiece', () => {
  it('cuts words into the longest known pieces, between the markers', () => {
    const tokenizer = new WordPiece(vocabulary)
    expect(tokenizer.encode('a balls bouncing.')).toEqual([2, 4, 5, 6, 7, 8, 9, 3])
    expect(tokenizer.encode('')).toEqual([2, 3])
  })

  it('gives one unknown token for a word with an unknown part, or too long a word', () => {
    const tokenizer = new WordPiece(vocabulary)
    expect(tokenizer.encode('ballx a')).toEqual([2, 1, 4, 3])
    expect(tokenizer.encode('a'.repeat(101))).toEqual([2, 1, 3])
  })

  it('drops accents, case and control characters, and separates punctuation and ideographs', () => {
    expect(splitWords('A\u0000 CAFÉ\t\u00a0naïve,don’t\ufffd')).toEqual([
      'a',
      'cafe',
      'naive',
      ',',
      'don',
      '’',
      't',
    ])
    expect(splitWords('雪雪a')).toEqual(['雪', '雪', 'a'])
    expect(splitWords(' \n ')).toEqual([])
    expect(new WordPiece(vocabulary).encode('Café 雪')).toEqual([2, 10, 11, 3])
  })

  it("gives the ids that Python gives for the reference take's prompt", () => {
    const text = readFileSync(pathOf('../../fixtures/tiny/vocab.txt'), 'utf8')
    const reference = JSON.parse(readFileSync(pathOf('../../fixtures/tiny.reference.json'), 'utf8')) as {
      prompt: string
      tokens: number[]
    }
    expect(new WordPiece(text).encode(reference.prompt)).toEqual(reference.tokens)
  })

  it('refuses a file that is no vocabulary', () => {
    expect(() => new WordPiece('a\nb')).toThrow(/\[PAD\]/)
    expect(() => new WordPiece('[PAD]\n[UNK]\n[CLS]')).toThrow(/\[SEP\]/)
  })
})
