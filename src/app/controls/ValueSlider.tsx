import type { ReactNode } from 'react'
import { Label, Slider, SliderThumb, SliderTrack } from 'react-aria-components'

interface Props {
  label: string
  value: number
  min: number
  max: number
  step?: number
  isDisabled?: boolean
  /** The value for people, beside the label. */
  readout: ReactNode
  onChange: (value: number) => void
}

/** A labelled slider over whole numbers. Underneath is a native range input, so keys and assistive technology just work. */
export function ValueSlider({
  label,
  value,
  min,
  max,
  step = 1,
  isDisabled = false,
  readout,
  onChange,
}: Props) {
  const share = max > min ? (value - min) / (max - min) : 1
  return (
    <Slider
      className="slider"
      minValue={min}
      maxValue={max}
      step={step}
      value={value}
      isDisabled={isDisabled}
      onChange={(next) => onChange(next)}
    >
      <div className="field-head">
        <Label>{label}</Label>
        {/* Not SliderOutput: its <output> is a live status region, and the page has exactly one. */}
        <span className="readout">{readout}</span>
      </div>
      <SliderTrack className="slider-track">
        <span className="slider-fill" style={{ width: `calc(11px + ${share * 100}%)` }} />
        <SliderThumb className="slider-thumb" />
      </SliderTrack>
    </Slider>
  )
}
