import { Button } from 'react-aria-components'

import { formatDuration } from '../../store/format'
import { SWEEP_STEPS } from '../../store/sweep'
import type { HeldTake } from '../../store/take'
import { CloseIcon } from '../icons'
import { useStudio, useSweep, useTake } from '../studio-context'
import { TakeCanvas } from './TakeCanvas'

/** Takes of a sweep side by side, playing in step; one press keeps one. */
export function SweepView() {
  const studio = useStudio()
  const takes = useSweep((state) => state.takes)
  const running = useSweep((state) => state.running)
  if (!takes) return null
  const find = (steps: number): HeldTake | undefined =>
    takes.find(({ shown }) => shown.request.steps === steps)
  const making = running ? SWEEP_STEPS.find((steps) => !find(steps)) : undefined
  return (
    <section className="sweep" aria-label="Sweep">
      <div className="sweep-head">
        <p data-testid="sweep-progress">
          {running
            ? `Take ${Math.min(takes.length + 1, SWEEP_STEPS.length)} of ${SWEEP_STEPS.length}`
            : 'Same noise, more steps. Choose one to keep it.'}
        </p>
        {running ? null : (
          <Button
            className="icon-button"
            aria-label="Close the comparison"
            onPress={() => void studio.sweep.dismiss()}
          >
            <CloseIcon />
          </Button>
        )}
      </div>
      <div className="sweep-grid">
        {SWEEP_STEPS.map((steps) => {
          const held = find(steps)
          return held ? (
            <FinishedTile key={steps} held={held} />
          ) : (
            <div key={steps} className="sweep-tile" data-state={steps === making ? 'making' : 'waiting'}>
              {steps === making ? <MakingShare /> : <span className="take-canvas" />}
              <Caption steps={steps} />
            </div>
          )
        })}
      </div>
    </section>
  )
}

function FinishedTile({ held }: { held: HeldTake }) {
  const studio = useStudio()
  const { steps } = held.shown.request
  const ms = held.timings?.totalMs
  const words = steps === 1 ? '1 step' : `${steps} steps`
  return (
    <Button
      className="sweep-tile"
      data-state="done"
      data-steps={steps}
      aria-label={`Keep ${words}${ms === undefined ? '' : ` ${formatDuration(ms)}`}`}
      onPress={() => void studio.sweep.choose(held)}
    >
      <TakeCanvas kept={held.kept} sync="tiles" label={words} />
      <Caption steps={steps} ms={ms} />
    </Button>
  )
}

/** How far the take in hand is. The status region says it in words. */
function MakingShare() {
  const fraction = useTake((state) => state.progress?.fraction ?? 0)
  return (
    <span className="take-canvas" aria-hidden="true">
      <span className="sweep-share" style={{ transform: `scaleY(${fraction})` }} />
    </span>
  )
}

function Caption({ steps, ms }: { steps: number; ms?: number | undefined }) {
  return (
    <span className="sweep-caption">
      <strong>{steps}</strong> <span className="muted">{steps === 1 ? 'step' : 'steps'}</span>{' '}
      <span className="sweep-time">{ms === undefined ? '' : formatDuration(ms)}</span>
    </span>
  )
}
