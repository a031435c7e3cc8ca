import { SourceTabs } from '../source/SourceTabs'
import { GenerateButton } from './GenerateButton'
import { LengthField } from './LengthField'
import { PromptField } from './PromptField'
import { SeedField } from './SeedField'
import { StepsField } from './StepsField'

/** The right side: everything that makes up a request. */
export function ControlPanel() {
  return (
    <aside className="panel" aria-label="Request">
      <div className="panel-fields">
        <SourceTabs />
        <PromptField />
        <StepsField />
        <LengthField />
        <SeedField />
      </div>
      <div className="panel-action">
        <GenerateButton />
      </div>
    </aside>
  )
}
