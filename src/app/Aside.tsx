interface Props {
  text: string
  className?: string
}

/**
 * A few more words on a button, beside what it is called: its shortcut, a number. They are drawn by the stylesheet: as
 * text of the page they would belong to the button's name, which is short, and stays the same.
 */
export function Aside({ text, className = '' }: Props) {
  return <span className={`aside ${className}`} data-text={text} aria-hidden="true" />
}
