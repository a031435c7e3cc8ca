import { Button } from 'react-aria-components'

import { CloseIcon, DownloadIcon } from '../icons'
import { useExport, useStudio, useTake } from '../studio-context'
import { ExportOptions } from './ExportOptions'

/** Writes an MP4; while it does, the button shows how far it is and a second one cancels. */
export function ExportButton() {
  const studio = useStudio()
  const frames = useTake((state) => state.shown?.frames ?? 0)
  // Frames move up while the oldest of a take without an end are let go.
  const moving = useTake((state) => state.phase === 'running' && state.request?.endless === true)
  const { phase, fraction, message } = useExport((state) => state)
  const running = phase === 'running'
  return (
    <div className="export">
      <Button
        className="button secondary"
        aria-label="Export MP4"
        isDisabled={frames === 0 || running || moving}
        onPress={() => void studio.exportTake()}
      >
        <DownloadIcon size={16} />
        <span aria-hidden={running}>{running ? `${Math.round(fraction * 100)}%` : 'Export MP4'}</span>
      </Button>
      {running ? (
        <Button className="icon-button" aria-label="Cancel export" onPress={() => studio.cancelExport()}>
          <CloseIcon />
        </Button>
      ) : null}
      <ExportOptions />
      {message ? (
        <p className="export-message" data-tone={phase} aria-live="polite" data-testid="export-message">
          {message}
        </p>
      ) : null}
    </div>
  )
}
