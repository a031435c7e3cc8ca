import { Button, ProgressBar } from 'react-aria-components'

import { CloseIcon, DownloadIcon } from '../icons'
import { useExport, useStudio, useTake } from '../studio-context'
import { ExportOptions } from './ExportOptions'

/** Writes an MP4; while a file is written, the button shows how far it is and a second one cancels. */
export function ExportButton() {
  const studio = useStudio()
  const frames = useTake((state) => state.shown?.frames ?? 0)
  const { phase, fraction, message } = useExport((state) => state)
  const running = phase === 'running'
  const percent = Math.round(fraction * 100)
  return (
    <div className="export">
      <div className="export-main">
        <Button
          className="button secondary"
          aria-label="Export MP4"
          isDisabled={frames === 0 || running}
          onPress={() => void studio.exportTake()}
        >
          <DownloadIcon size={16} />
          <span aria-hidden={running}>{running ? `${percent}%` : 'Export MP4'}</span>
        </Button>
        {/* Not in the button: what is inside one is not told apart from its name. */}
        {running ? (
          <ProgressBar className="bar export-bar" aria-label="Export" value={percent}>
            <span className="bar-fill" style={{ transform: `scaleX(${fraction})` }} />
          </ProgressBar>
        ) : null}
      </div>
      {running ? (
        <Button className="icon-button" aria-label="Cancel export" onPress={() => studio.cancelExport()}>
          <CloseIcon />
        </Button>
      ) : null}
      <ExportOptions />
      {/* Always there: a live region that comes together with its words may not be read out. */}
      <div className="export-news" aria-live="polite">
        {message ? (
          <p className="export-message" data-tone={phase} data-testid="export-message">
            {message}
          </p>
        ) : null}
      </div>
    </div>
  )
}
