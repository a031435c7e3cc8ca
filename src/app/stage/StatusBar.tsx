import { ProgressBar } from 'react-aria-components'

import { formatBytes, formatClipLength } from '../../store/format'
import type { ModelState } from '../../store/model'
import { progressFraction, statusText } from '../../store/status'
import type { TakeState } from '../../store/take'
import { useModel, useTake } from '../studio-context'
import { TimingsLine } from './TimingsLine'

/** Where things stand, in words and as a bar. The status region holds the agreed wording and nothing else. */
export function StatusBar() {
  const model = useModel((state) => state)
  const take = useTake((state) => state)
  const fraction = progressFraction(model, take)
  const failed = model.phase === 'error' || take.phase === 'error'
  const busy = model.phase === 'loading' || take.phase === 'running'
  return (
    <div className="statusbar" data-tone={failed ? 'error' : busy ? 'busy' : 'ready'}>
      <div className="status-line">
        <p className="status" role="status">
          {statusText(model, take)}
        </p>
        <p className="status-detail">{failed ? '' : detail(model, take)}</p>
      </div>
      {busy ? (
        <ProgressBar
          className="bar"
          aria-label={model.phase === 'loading' ? 'Model loading' : 'Take'}
          value={(fraction ?? 0) * 100}
          isIndeterminate={fraction === undefined}
        >
          <span
            className={fraction === undefined ? 'bar-fill waiting' : 'bar-fill'}
            style={{ transform: `scaleX(${fraction ?? 0.3})` }}
          />
        </ProgressBar>
      ) : (
        <div className="bar idle" aria-hidden="true" />
      )}
      <TimingsLine />
    </div>
  )
}

function detail(model: ModelState, take: TakeState): string {
  if (model.phase === 'loading') {
    const { progress } = model
    if (!progress) return ''
    if (progress.phase === 'compile') return `Preparing ${progress.item}`
    if (progress.totalBytes === 0) return progress.item
    const from =
      progress.cachedBytes > 0 && progress.cachedBytes === progress.loadedBytes ? ' from this browser' : ''
    return `${formatBytes(progress.loadedBytes)} of ${formatBytes(progress.totalBytes)}${from}`
  }
  if (take.phase === 'running') {
    if (!take.request) return ''
    const waits = take.preview.waiting ? ', waiting to be played' : ''
    return take.request.endless
      ? `${take.frames} frames${waits}`
      : `${take.frames} of ${take.request.frames} frames`
  }
  const { shown } = take
  if (!shown) return ''
  const length = `${shown.frames} frames, ${formatClipLength(shown.frames, shown.fps)}`
  return shown.complete ? length : `Stopped early: ${shown.frames} of ${shown.request.frames} frames`
}
