import { Label, ToggleButton, ToggleButtonGroup } from 'react-aria-components'

interface Props {
  label: string
  choices: readonly { readonly id: string; readonly label: string }[]
  value: string
  onChange: (value: string) => void
}

/** One of a few short choices in a row: a radio group. */
export function Segments({ label, choices, value, onChange }: Props) {
  return (
    <div className="segments-field">
      <Label elementType="span">{label}</Label>
      <ToggleButtonGroup
        className="segments"
        aria-label={label}
        selectionMode="single"
        disallowEmptySelection
        selectedKeys={[value]}
        onSelectionChange={(keys) => {
          for (const key of keys) onChange(String(key))
        }}
      >
        {choices.map((choice) => (
          <ToggleButton key={choice.id} id={choice.id} className="segment">
            {choice.label}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
    </div>
  )
}
