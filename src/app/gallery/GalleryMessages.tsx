import { useEffect } from 'react'
import { Button } from 'react-aria-components'

import type { TakeRecord } from '../../gallery/records'
import { waitingMessage } from '../../store/gallery-messages'
import { AlertIcon, CloseIcon } from '../icons'
import { useGallery, useStudio } from '../studio-context'
import { DeletedMessage } from './DeletedMessage'
import { useUnloadWarning } from './use-unload-warning'

/** How long it says what was imported, ms. */
const IMPORTED_TIME = 10_000

/** What just happened to the takes, and what is wrong with the storage. */
export function GalleryMessages() {
  const { gallery } = useStudio()
  const deleted = useGallery((state) => state.deleted)
  const imported = useGallery((state) => state.imported)
  const waiting = useGallery(waitingMessage)
  const problem = useGallery((state) => state.problem)
  useUnloadWarning(waiting !== undefined)
  return (
    <>
      {/* Always there: a live region speaks only of what changes in it. */}
      <div aria-live="polite">
        {imported ? <ImportedMessage take={imported} /> : null}
        {deleted ? <DeletedMessage key={deleted.id} take={deleted} /> : null}
      </div>
      {/* It cannot be dismissed: it holds until there is room. */}
      {waiting ? (
        <div className="gallery-message" data-tone="error" role="alert">
          <AlertIcon />
          <span>{waiting}</span>
        </div>
      ) : null}
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

function ImportedMessage({ take }: { take: TakeRecord }) {
  const { gallery } = useStudio()
  useEffect(() => {
    const timer = setTimeout(() => gallery.dismissImported(), IMPORTED_TIME)
    return () => clearTimeout(timer)
  }, [gallery, take])
  return (
    <p className="gallery-message">
      <span>Imported “{take.request.prompt}”.</span>
    </p>
  )
}
