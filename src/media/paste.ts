/** What a paste is meant as, where the clipboard holds text and files alike. */

/** Elements that take text; other inputs (sliders, switches) do not. */
const TEXT_FIELDS =
  'textarea, input:not([type]), input:is([type=text], [type=search], [type=number], [type=url]), [contenteditable]'

/** The part of the clipboard that decides. */
export interface Pasted {
  readonly files: Iterable<{ readonly name: string }>
  getData(format: string): string
}

/**
 * True for a paste of text into a text field. Cells of a spreadsheet come as text and as a picture of them; a file copied
 * in a file manager comes with its own name or path as text, which nobody means.
 */
export function isTextPaste(target: unknown, data: Pasted): boolean {
  if (!isTextField(target)) return false
  const lines = data
    .getData('text/plain')
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '')
  const names = [...data.files].map(({ name }) => name)
  return lines.some((line) => !names.some((name) => line === name || line.endsWith(`/${name}`)))
}

function isTextField(target: unknown): boolean {
  const element = target as Partial<Pick<Element, 'matches'>> | null
  return element?.matches?.(TEXT_FIELDS) === true
}
