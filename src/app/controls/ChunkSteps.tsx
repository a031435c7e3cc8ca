import { SwitchButton, SwitchField } from 'react-aria-components'

import { STEPS } from '../../store/url'
import { useRequest, useStudio } from '../studio-context'
import { ValueSlider } from './ValueSlider'

/** More steps for the first chunk, which the others are made from, and fewer after it. */
export function ChunkSteps() {
  const studio = useStudio()
  const steps = useRequest((state) => state.steps)
  const laterSteps = useRequest((state) => state.laterSteps)
  const isOn = laterSteps !== undefined
  return (
    <div className="field">
      <SwitchField
        className="switch-field"
        isSelected={isOn}
        // Half as many is where the saving starts to show.
        onChange={(on) =>
          studio.request.setState({ laterSteps: on ? Math.max(STEPS.min, Math.floor(steps / 2)) : undefined })
        }
      >
        <SwitchButton className="switch">
          <span className="switch-track" />
          Per-chunk steps
        </SwitchButton>
      </SwitchField>
      {isOn ? (
        <ValueSlider
          label="After the first chunk"
          min={STEPS.min}
          max={STEPS.max}
          value={laterSteps}
          readout={<strong>{laterSteps}</strong>}
          onChange={(value) => studio.request.setState({ laterSteps: value })}
        />
      ) : null}
    </div>
  )
}
