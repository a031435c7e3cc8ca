import { Button } from 'react-aria-components'

import { formatBytes } from '../../store/format'
import { progressFraction } from '../../store/status'
import { AlertIcon } from '../icons'
import { useModel, useStudio, useTake } from '../studio-context'
import { EmptyArt } from './EmptyArt'

/** What stands where the picture will be, until there is one. The status region says it in words. */
export function StageOverlay() {
  const model = useModel((state) => state)
  const take = useTake((state) => state)
  if (take.shown) return null
  if (model.phase === 'loading') return <Loading fraction={progressFraction(model, take)} />
  if (model.phase === 'error') return <Failure message={model.error ?? ''} action="Try again" />
  if (take.phase === 'error') return <Failure message={take.failure?.message ?? ''} />
  // The canvas below has something to see already.
  if (take.phase === 'running' && take.preview.estimate) return null
  if (take.phase === 'running') return <div className="overlay noise" aria-hidden="true" />
  return (
    <div className="overlay empty">
      <EmptyArt />
      <p className="empty-title">Describe it. Watch it arrive.</p>
      <p className="muted">
        Frames appear here as they are made, on your own machine. Press <kbd>Ctrl</kbd> <kbd>Enter</kbd> to
        start.
      </p>
    </div>
  )
}

function Loading({ fraction }: { fraction: number | undefined }) {
  const progress = useModel((state) => state.progress)
  const cached =
    progress !== undefined && progress.cachedBytes > 0 && progress.cachedBytes === progress.loadedBytes
  return (
    <div className="overlay loading" aria-hidden="true">
      <svg className="ring" viewBox="0 0 64 64" width="64" height="64">
        <circle cx="32" cy="32" r="28" pathLength="1" />
        <circle
          className={fraction === undefined ? 'ring-value waiting' : 'ring-value'}
          cx="32"
          cy="32"
          r="28"
          pathLength="1"
          strokeDasharray={`${fraction ?? 0.2} 1`}
        />
      </svg>
      <p className="empty-title">Getting the model</p>
      <p className="muted">
        {progress && progress.totalBytes > 0
          ? `${formatBytes(progress.loadedBytes)} of ${formatBytes(progress.totalBytes)}${cached ? ', from this browser' : ''}`
          : 'It stays in this browser for the next time.'}
      </p>
    </div>
  )
}

function Failure({ message, action }: { message: string; action?: string }) {
  const studio = useStudio()
  return (
    <div className="overlay failure">
      <AlertIcon size={32} />
      <p aria-hidden="true">{message}</p>
      {action ? (
        <Button className="button secondary" onPress={() => void studio.loadModel()}>
          {action}
        </Button>
      ) : null}
    </div>
  )
}
