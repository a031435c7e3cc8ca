import { SwitchButton, SwitchField } from 'react-aria-components'

import { heldFrames } from '../../engine/held-frames'
import type { Manifest } from '../../models/manifest'
import { formatClipLength } from '../../store/format'
import { nearestLength } from '../../store/request'
import { useModel, useRequest, useStudio } from '../studio-context'
import { ValueSlider } from './ValueSlider'

/** Length in frames; the slider stops at the lengths that the model's chunks add up to. */
export function LengthField() {
  const studio = useStudio()
  const length = useRequest((state) => state.length)
  const endless = useRequest((state) => state.endless)
  const loaded = useModel((state) => state.loaded)
  const lengths = loaded?.lengths ?? []
  const min = lengths[0] ?? 1
  // Before a model says what it can make, the slider rests at its start.
  const max = lengths.at(-1) ?? min + 1
  const value = loaded ? (length ?? min) : min
  return (
    <div className="field">
      <ValueSlider
        label="Length"
        min={min}
        max={max}
        step={evenStep(lengths)}
        value={value}
        isDisabled={lengths.length < 2 || endless}
        onChange={(next) => studio.request.setState({ length: nearestLength(lengths, next) })}
        readout={
          endless ? (
            <>
              {loaded ? <span className="muted">newest {newest(loaded.manifest)} held </span> : null}
              <strong>until stopped</strong>
            </>
          ) : loaded ? (
            <>
              <span className="muted">{value} frames </span>
              <strong>{formatClipLength(value, loaded.manifest.video.fps)}</strong>
            </>
          ) : null
        }
      />
      <SwitchField
        className="switch-field"
        isSelected={endless}
        // Too short a window cannot slide.
        isDisabled={lengths.length < 3}
        onChange={(on) => studio.request.setState({ endless: on })}
      >
        <SwitchButton className="switch">
          <span className="switch-track" />
          Endless
        </SwitchButton>
      </SwitchField>
    </div>
  )
}

/** How much of a take without an end is held, and kept. */
function newest({ video }: Pick<Manifest, 'video'>): string {
  return formatClipLength(heldFrames({ endless: true }, video), video.fps)
}

/** The distance between lengths where it is the same throughout, else 1 (values then snap to the nearest length). */
function evenStep(lengths: readonly number[]): number {
  const [first, second] = lengths
  if (first === undefined || second === undefined) return 1
  const step = second - first
  return lengths.every((length, i) => length === first + i * step) ? step : 1
}
