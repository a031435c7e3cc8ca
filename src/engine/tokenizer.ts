/**
 * BERT's uncased WordPiece (Devlin et al. 2018), the same rules in the same order as models/anyflow/wordpiece.py; shared
 * vectors hold the two together.
 */

import { ModelError } from '../errors'

const MAX_WORD_CHARACTERS = 100
/** Left to right: white space, then what is dropped, then ideographs that stand alone. */
// Python's `isspace` counts these control characters as white space too.
// eslint-disable-next-line no-control-regex
const WHITE_SPACE = /[\t\n\r\v\f\x1c-\x1f\x85\p{Z}]/u
const DROPPED = /[\ufffd\p{C}]/u
const IDEOGRAPH =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b820}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/u
const COMBINING_MARK = /\p{Mn}/gu
const PUNCTUATION = /[!-/:-@[-`{-~\p{P}]/gu

/** Normalises a text and cuts it into words. */
export function splitWords(text: string): string[] {
  let cleaned = ''
  for (const character of text) {
    if (WHITE_SPACE.test(character)) cleaned += ' '
    else if (DROPPED.test(character)) continue
    else if (IDEOGRAPH.test(character)) cleaned += ` ${character} `
    else cleaned += character
  }
  const lowered = cleaned.normalize('NFD').replace(COMBINING_MARK, '').toLowerCase()
  return lowered
    .replace(PUNCTUATION, ' $& ')
    .split(' ')
    .filter((word) => word !== '')
}

/** Text to token ids; an id is a line number of the vocabulary. */
export class WordPiece {
  private readonly ids: ReadonlyMap<string, number>
  private readonly unknown: number
  private readonly start: number
  private readonly end: number

  /** @param vocabulary content of `vocab.txt`, one token a line. @throws ModelError */
  constructor(vocabulary: string) {
    const lines = vocabulary.replace(/\n$/, '').split('\n')
    this.ids = new Map(lines.map((line, index) => [line.replace(/\r$/, ''), index]))
    if (this.special('[PAD]') !== 0) throw brokenVocabulary('[PAD] is not its first line')
    this.unknown = this.special('[UNK]')
    this.start = this.special('[CLS]')
    this.end = this.special('[SEP]')
  }

  /** Ids with the markers in front and behind, however many there are. */
  encode(text: string): number[] {
    return [this.start, ...splitWords(text).flatMap((word) => this.pieces(word)), this.end]
  }

  /** Longest known pieces from the left; a word with a part that is in no piece is unknown as a whole. */
  private pieces(word: string): number[] {
    const characters = Array.from(word)
    if (characters.length > MAX_WORD_CHARACTERS) return [this.unknown]
    const pieces: number[] = []
    let from = 0
    while (from < characters.length) {
      let to = characters.length
      let id: number | undefined
      for (; to > from && id === undefined; to--) {
        id = this.ids.get((from > 0 ? '##' : '') + characters.slice(from, to).join(''))
      }
      if (id === undefined) return [this.unknown]
      pieces.push(id)
      // The loop stepped once past the match.
      from = to + 1
    }
    return pieces
  }

  private special(token: string): number {
    const id = this.ids.get(token)
    if (id === undefined) throw brokenVocabulary(`${token} is missing`)
    return id
  }
}

function brokenVocabulary(problem: string): ModelError {
  return new ModelError(
    'bad-manifest',
    `The model's vocabulary is not a WordPiece one: ${problem}. Export the package again.`,
  )
}
