import { useRef } from 'react'
import { Button } from 'react-aria-components'

import { Aside } from '../Aside'
import { SparkIcon, StopIcon } from '../icons'
import { useModel, useStudio, useTake } from '../studio-context'

/** Starts a take; while one runs, stops it. */
export function GenerateButton() {
  const studio = useStudio()
  const running = useTake((state) => state.phase === 'running')
  const loading = useModel((state) => state.phase === 'loading')
  // Moving Steps starts a take by itself, and may do so between a press and its release, or just before it. What counts
  // is what the button said when it was reached for.
  const aimedAtStop = useRef(false)
  const press = (): void => {
    if (aimedAtStop.current) studio.stop()
    else void studio.generate()
  }
  return (
    <Button
      className={running ? 'button primary stop' : 'button primary'}
      aria-label={running ? 'Stop' : 'Generate'}
      isDisabled={loading && !running}
      onPressStart={() => {
        aimedAtStop.current = running && !studio.runner.justRemade
      }}
      onPress={press}
    >
      {running ? <StopIcon size={20} /> : <SparkIcon size={20} />}
      {running ? 'Stop' : 'Generate'}
      <kbd aria-hidden="true">
        <Aside text={running ? 'Esc' : 'Ctrl ↵'} />
      </kbd>
    </Button>
  )
}
