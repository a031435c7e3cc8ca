import { Button } from 'react-aria-components'

import { refinedSteps } from '../../store/compare'
import { Aside } from '../Aside'
import { SparkIcon } from '../icons'
import { useStudio, useTake } from '../studio-context'

/** Makes the shown draft again at more steps, with the same noise. */
export function RefineButton() {
  const studio = useStudio()
  const running = useTake((state) => state.phase === 'running')
  const complete = useTake(
    ({ shown }) => shown?.complete === true && !shown.request.endless && !shown.playOnly,
  )
  const steps = useTake((state) => state.shown?.request.steps)
  const more = steps === undefined ? undefined : refinedSteps(steps)
  return (
    <Button
      className="button secondary refine"
      aria-label="Refine"
      isDisabled={running || !complete || more === undefined}
      onPress={() => void studio.compare.refine()}
    >
      <SparkIcon size={16} />
      <span>
        Refine
        {more === undefined ? null : <Aside text={` to ${more}`} />}
      </span>
    </Button>
  )
}
