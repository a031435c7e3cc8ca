import { Label, RadioButton, RadioField, RadioGroup, Text } from 'react-aria-components'

export interface Choice {
  value: string
  label: string
  hint?: string
}

interface Props {
  label: string
  choices: readonly Choice[]
  value: string
  onChange: (value: string) => void
}

/** One of a few, in a popover. */
export function Choices({ label, choices, value, onChange }: Props) {
  return (
    <RadioGroup className="radios" value={value} onChange={onChange}>
      <Label>{label}</Label>
      {choices.map((choice) => (
        <RadioField key={choice.value} value={choice.value} className="radio-field">
          <RadioButton className="radio">
            <span className="radio-mark" />
            {choice.label}
          </RadioButton>
          {choice.hint ? <Text slot="description">{choice.hint}</Text> : null}
        </RadioField>
      ))}
    </RadioGroup>
  )
}
