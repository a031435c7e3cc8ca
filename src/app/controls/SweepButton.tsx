import { Button } from 'react-aria-components'

import { SWEEP_STEPS } from '../../store/sweep'
import { Aside } from '../Aside'
import { GridIcon } from '../icons'
import { useModel, useStudio, useTake } from '../studio-context'

/** Makes the take at several numbers of steps, to see what more of them are worth. */
export function SweepButton() {
  const studio = useStudio()
  const ready = useModel((state) => state.phase === 'ready')
  const running = useTake((state) => state.phase === 'running')
  return (
    <Button
      className="button secondary small"
      isDisabled={!ready || running}
      aria-label="Step sweep"
      onPress={() => void studio.startSweep()}
    >
      <GridIcon size={16} />
      Step sweep
      <Aside className="muted" text={SWEEP_STEPS.join(' · ')} />
    </Button>
  )
}
