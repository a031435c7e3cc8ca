/**
 * Gives the focus to the card at a place among the takes, or to the last one; without cards, to the gallery's first button.
 * @param gallery the element that they are in
 */
export function focusCard(gallery: Element, place: number): void {
  const cards = [...gallery.querySelectorAll<HTMLElement>('.take-open')]
  const target = cards[Math.min(place, cards.length - 1)]
  ;(target ?? gallery.querySelector<HTMLElement>('button:enabled'))?.focus()
}
