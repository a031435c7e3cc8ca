import { Button, Input, Label, TextField, ToggleButton } from 'react-aria-components'

import { currentSeed, rollSeed, typeSeed } from '../../store/request'
import { DiceIcon, LockIcon, UnlockIcon } from '../icons'
import { useRequest, useStudio } from '../studio-context'

/** The seed of the take, always shown: unlocked, it is drawn anew for each take. */
export function SeedField() {
  const studio = useStudio()
  const seedText = useRequest((state) => state.seedText)
  const locked = useRequest((state) => state.seedLocked)
  const valid = useRequest((state) => currentSeed(state) !== undefined)
  return (
    <div className="field">
      <TextField
        className="textfield seed"
        value={seedText}
        isInvalid={!valid}
        onChange={(value) => typeSeed(studio.request, value)}
      >
        <div className="field-head">
          <Label>Seed</Label>
          <span className="readout muted">{locked ? 'Same for every take' : 'New for every take'}</span>
        </div>
        <div className="seed-row">
          <Input className="input" inputMode="numeric" autoComplete="off" maxLength={16} />
          <Button
            className="icon-button"
            aria-label="Draw a new seed"
            onPress={() => rollSeed(studio.request)}
          >
            <DiceIcon />
          </Button>
          <ToggleButton
            className="icon-button"
            aria-label="Lock the seed"
            isSelected={locked}
            onChange={(seedLocked) => studio.request.setState({ seedLocked })}
          >
            {locked ? <LockIcon /> : <UnlockIcon />}
          </ToggleButton>
        </div>
      </TextField>
    </div>
  )
}
