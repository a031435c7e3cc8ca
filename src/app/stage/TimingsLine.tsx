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
  // What is not measured yet keeps its place: nothing moves when it comes.
  const begun = facts.some(([, ms]) => ms !== undefined)
  return (
    <dl className="timings" data-testid="timings" aria-label="Timings">
      {begun
        ? facts.map(([name, ms]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{ms === undefined ? '–' : formatDuration(ms)}</dd>
            </div>
          ))
        : null}
      {begun && steps !== undefined ? (
        <div>
          <dt>Steps</dt>
          <dd>{steps}</dd>
        </div>
      ) : null}
    </dl>
  )
}
