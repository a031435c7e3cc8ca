import { useEffect, useState } from 'react'
import { Button } from 'react-aria-components'

import { CloseIcon } from '../icons'
import { useStudio } from '../studio-context'

const KEY = 'anyflow.steps-hint'

/** On the first visit: what the slider is for, in one sentence. Goes for good once it is moved or closed. */
export function StepsHint() {
  const studio = useStudio()
  const [seen, setSeen] = useState(() => localStorage.getItem(KEY) !== null)
  useEffect(() => {
    if (seen) return
    return studio.request.subscribe((now, before) => {
      if (now.steps !== before.steps) setSeen(true)
    })
  }, [studio, seen])
  useEffect(() => {
    if (seen) localStorage.setItem(KEY, 'seen')
  }, [seen])
  if (seen) return null
  return (
    <p className="hint">
      <span>Drag to trade time for quality: the same model makes a clip in 1 step or in 64.</span>
      <Button className="icon-button" aria-label="Close the hint" onPress={() => setSeen(true)}>
        <CloseIcon size={14} />
      </Button>
    </p>
  )
}
