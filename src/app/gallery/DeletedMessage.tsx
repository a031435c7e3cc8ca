import { useEffect, useLayoutEffect, useRef } from 'react'
import { Button } from 'react-aria-components'

import type { TakeRecord } from '../../gallery/records'
import { placeOf } from '../../store/gallery'
import { useStudio } from '../studio-context'
import { focusCard } from './focus-card'

/** How long a deleted take can be brought back, ms. */
const UNDO_TIME = 10_000

/**
 * The last deletion with its undo. The card that had the focus is gone, so the focus comes here, and goes to the card in
 * its place afterwards: the one brought back, or its neighbour.
 */
export function DeletedMessage({ take }: { take: TakeRecord }) {
  const { gallery } = useStudio()
  const undo = useRef<HTMLButtonElement>(null)
  const { id, made } = take

  useEffect(() => {
    const timer = setTimeout(() => void gallery.settle(id), UNDO_TIME)
    return () => clearTimeout(timer)
  }, [gallery, id])

  useEffect(() => undo.current?.focus(), [])

  // A layout effect ends while the button is still there.
  useLayoutEffect(() => {
    const button = undo.current
    return () => {
      if (!button || document.activeElement !== button) return
      const region = button.closest('section')
      queueMicrotask(() => {
        // In development effects end once for practice.
        if (region && !button.isConnected)
          focusCard(region, placeOf({ made }, gallery.store.getState().takes))
      })
    }
  }, [gallery, made])

  return (
    <p className="gallery-message">
      <span>Deleted “{take.request.prompt}”.</span>
      <Button ref={undo} className="button secondary small" onPress={() => void gallery.undo()}>
        Undo
      </Button>
    </p>
  )
}
