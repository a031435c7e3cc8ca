import { Button } from 'react-aria-components'

import { redoableChunk } from '../../store/redo'
import { RedoIcon } from '../icons'
import { useModel, useStudio, useTake } from '../studio-context'

/** Discards the last chunk and makes it again with another seed. */
export function RedoButton() {
  const studio = useStudio()
  const model = useModel((state) => state.loaded?.manifest)
  const chunk = useTake((state) => redoableChunk(state, model))
  return (
    <Button
      className="icon-button"
      aria-label="Redo last chunk"
      isDisabled={chunk === undefined}
      onPress={() => void studio.runner.redoLastChunk()}
    >
      <RedoIcon />
    </Button>
  )
}
