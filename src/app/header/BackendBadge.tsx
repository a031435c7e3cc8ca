import { Button, Dialog, DialogTrigger, Heading, Popover } from 'react-aria-components'

import type { BackendChoice } from '../../engine/types'
import { ChipIcon } from '../icons'
import { useModel, useRequest, useStudio } from '../studio-context'
import { Choices } from './Choices'

const choices: readonly { value: BackendChoice; label: string; hint: string }[] = [
  { value: 'auto', label: 'Automatic', hint: 'WebGPU where it works, else WASM' },
  { value: 'webgpu', label: 'WebGPU', hint: 'Runs on the graphics processor' },
  { value: 'wasm', label: 'WASM', hint: 'Runs on the processor, in every browser' },
]

/** Says which backend makes the video, why, and lets one be chosen. */
export function BackendBadge() {
  const studio = useStudio()
  const choice = useRequest((state) => state.backend)
  const report = useModel((state) => state.loaded?.backend)
  const label = report?.label ?? 'Backend'
  return (
    <DialogTrigger>
      <Button className="pill" aria-label={`Backend: ${report?.label ?? 'none yet'}`} data-testid="backend">
        <ChipIcon size={16} />
        <span className={`dot ${report ? report.backend : 'none'}`} />
        <span className="pill-text">{label}</span>
      </Button>
      <Popover className="popover" placement="bottom end">
        <Dialog className="dialog">
          <Heading slot="title">{label}</Heading>
          <p data-testid="backend-reason">{report?.reason ?? 'It is chosen while the model loads.'}</p>
          {report?.adapter ? <p className="muted">{report.adapter}</p> : null}
          <Choices
            label="Run on"
            choices={choices}
            value={choice}
            onChange={(value) => void studio.choose({ backend: value as BackendChoice })}
          />
        </Dialog>
      </Popover>
    </DialogTrigger>
  )
}
