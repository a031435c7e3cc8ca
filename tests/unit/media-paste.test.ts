import { describe, expect, it } from 'vitest'

import { isTextPaste } from '../../src/media/paste'

const field = { matches: () => true }
const pasted = (text: string, ...names: string[]) => ({
  files: names.map((name) => ({ name })),
  getData: () => text,
})

describe('a paste with files', () => {
  it('is text in a text field, when there is text of its own: cells come with a picture of them', () => {
    expect(isTextPaste(field, pasted('red\tball', 'image.png'))).toBe(true)
  })
  it('is the file when the text is only its name, or none', () => {
    expect(isTextPaste(field, pasted('cat.png', 'cat.png'))).toBe(false)
    expect(isTextPaste(field, pasted('file:///home/me/cat.png', 'cat.png'))).toBe(false)
    expect(isTextPaste(field, pasted('', 'cat.png'))).toBe(false)
  })
  it('is the file anywhere else', () => {
    expect(isTextPaste({ matches: () => false }, pasted('red ball', 'image.png'))).toBe(false)
    expect(isTextPaste(null, pasted('red ball', 'image.png'))).toBe(false)
  })
})
