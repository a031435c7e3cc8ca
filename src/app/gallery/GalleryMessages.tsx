import { useEffect } from 'react'
import { Button } from 'react-aria-components'

import { AlertIcon, CloseIcon } from '../icons'
import { useGallery, useStudio } from '../studio-context'

/** How long a deleted take can be brought back, ms. */
const UNDO_TIME = 10_000

/** The last deletion with its undo, and what is wrong with the storage. */
export function GalleryMessages() {
  const { gallery } = useStudio()
  const deleted = useGallery((state) => state.deleted)
  const problem = useGallery((state) => state.problem)

  useEffect(() => {
    if (!deleted) return
    const timer = setTimeout(() => void gallery.settle(), UNDO_TIME)
    return () => clearTimeout(timer)
  }, [gallery, deleted])

  return (
    <>
      {/* Always there: a live region speaks only of what changes in it. */}
      <div aria-live="polite">
        {deleted ? (
          <p className="gallery-message">
            <span>Deleted “{deleted.request.prompt}”.</span>
            <Button className="button secondary small" onPress={() => void gallery.undo()}>
              Undo
            </Button>
          </p>
        ) : null}
      </div>
      {problem ? (
        <div className="gallery-message" data-tone="error" role="alert">
          <AlertIcon />
          <span>{problem}</span>
          <Button className="icon-button" aria-label="Dismiss" onPress={() => gallery.dismissProblem()}>
            <CloseIcon />
          </Button>
        </div>
      ) : null}
    </>
  )
}
