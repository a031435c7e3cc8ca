import { formatDuration } from '../../store/format'
import { useTake } from '../studio-context'

/** Measured times of the take being made, or made last. */
export function TimingsLine() {
  const timings = useTake((state) => state.timings)
  const steps = useTake((state) => state.request?.steps)
  const facts: [string, number | undefined][] = [
    ['First frame', timings?.firstFrameMs],
    ['Step', timings?.passMs],
    ['Chunk', timings?.chunkMs],
    ['Frame decode', timings?.frameMs],
    ['Total', timings?.totalMs],
  ]
  const measured = facts.filter((fact): fact is [string, number] => fact[1] !== undefined)
  return (
    <dl className="timings" data-testid="timings" aria-label="Timings">
      {measured.map(([name, ms]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{formatDuration(ms)}</dd>
        </div>
      ))}
      {measured.length > 0 && steps !== undefined ? (
        <div>
          <dt>Steps</dt>
          <dd>{steps}</dd>
        </div>
      ) : null}
    </dl>
  )
}
