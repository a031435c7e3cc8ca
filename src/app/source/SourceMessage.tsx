import type { GivenTask } from '../../store/source'
import { useSource } from '../studio-context'

/** What is wrong with the file that was given last, or that it is being opened. */
export function SourceMessage({ task }: { task: GivenTask }) {
  const error = useSource((state) => state.error)
  const busy = useSource((state) => state.busy[task])
  if (error) {
    return (
      <p className="source-error" role="alert" data-testid="source-error">
        {error}
      </p>
    )
  }
  return busy ? <p className="source-hint">Opening ...</p> : null
}
