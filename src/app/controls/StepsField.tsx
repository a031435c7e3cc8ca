import { Button } from 'react-aria-components'

import { formatDuration } from '../../store/format'
import { STEPS } from '../../store/url'
import { predictTake } from '../../store/speed'
import { useModel, useRequest, useSource, useSpeed, useStudio } from '../studio-context'
import { ChunkSteps } from './ChunkSteps'
import { StepsHint } from './StepsHint'
import { SweepButton } from './SweepButton'
import { ValueSlider } from './ValueSlider'

const presets = [
  { steps: 1, name: 'Draft' },
  { steps: 4, name: 'Fast' },
  { steps: 16, name: 'Fine' },
  { steps: 64, name: 'Best' },
] as const

/** The trade of time for quality. With a finished take, moving it makes that take again. */
export function StepsField() {
  const studio = useStudio()
  const steps = useRequest((state) => state.steps)
  const estimate = useEstimate()
  const setSteps = (value: number): void => studio.request.setState({ steps: value })
  return (
    <div className="field">
      <ValueSlider
        label="Steps"
        min={STEPS.min}
        max={STEPS.max}
        value={steps}
        onChange={setSteps}
        readout={
          <>
            {estimate === undefined ? null : (
              <span className="muted" data-testid="estimate" data-ms={Math.round(estimate)}>
                about {formatDuration(estimate)}{' '}
              </span>
            )}
            <strong>{steps}</strong>
          </>
        }
      />
      <StepsHint />
      <div className="presets" role="group" aria-label="Step presets">
        {presets.map((preset) => (
          <Button
            key={preset.steps}
            className="preset"
            data-active={preset.steps === steps}
            onPress={() => setSteps(preset.steps)}
          >
            {preset.name} <span>{preset.steps}</span>
          </Button>
        ))}
      </div>
      <ChunkSteps />
      <SweepButton />
    </div>
  )
}

/** Time for the take that the controls describe, from what this session measured; nothing before there was a take. */
function useEstimate(): number | undefined {
  const studio = useStudio()
  const steps = useRequest((state) => state.steps)
  const laterSteps = useRequest((state) => state.laterSteps)
  const frames = useRequest((state) => state.length)
  const manifest = useModel((state) => state.loaded?.manifest)
  const lengths = useModel((state) => state.loaded?.lengths)
  const speed = useSpeed((state) => state)
  const given = useSource(() => (frames === undefined ? 0 : studio.sources.givenCount(frames)))
  const endless = useRequest((state) => state.endless)
  if (endless || !manifest || frames === undefined || !lengths?.includes(frames) || given >= frames)
    return undefined
  return predictTake(speed, { steps, laterSteps, frames, given: { length: given } }, manifest)
}
