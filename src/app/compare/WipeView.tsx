import { Button, Slider, SliderThumb, SliderTrack } from 'react-aria-components'

import { isComparing } from '../../store/compare'
import { CloseIcon } from '../icons'
import { useCompare, useStudio, useTake } from '../studio-context'
import { TakeCanvas } from './TakeCanvas'

/** The draft over the refined take, left of a divider that is dragged or moved with the arrow keys. */
export function WipeView() {
  const studio = useStudio()
  const compare = useCompare((state) => state)
  const comparing = useTake((state) => isComparing(compare, state))
  const running = useTake((state) => state.phase === 'running')
  const { draft, refined, split } = compare
  if (!draft || !refined || !comparing) return null
  const { steps } = draft.shown.request
  const share = `${split * 100}%`
  return (
    <div className="wipe" data-testid="wipe">
      <div className="wipe-draft" style={{ clipPath: `inset(0 calc(100% - ${share}) 0 0)` }}>
        <TakeCanvas kept={draft.kept} sync="preview" label="Draft" />
        <span className="wipe-label">{steps === 1 ? 'Draft, 1 step' : `Draft, ${steps} steps`}</span>
      </div>
      <span className="wipe-label right" style={{ clipPath: 'none' }}>{`${refined.steps} steps`}</span>
      <Slider
        className="wipe-slider"
        aria-label="Divider"
        minValue={0}
        maxValue={100}
        value={Math.round(split * 100)}
        onChange={(value) => studio.compare.store.setState({ split: value / 100 })}
      >
        <SliderTrack className="wipe-track">
          <SliderThumb className="wipe-thumb" />
        </SliderTrack>
      </Slider>
      {running ? null : (
        <div className="wipe-actions">
          <Button className="button secondary small" onPress={() => void studio.compare.keepDraft()}>
            Back to the draft
          </Button>
          <Button
            className="icon-button"
            aria-label="Close the comparison"
            onPress={() => void studio.compare.close()}
          >
            <CloseIcon />
          </Button>
        </div>
      )}
    </div>
  )
}
