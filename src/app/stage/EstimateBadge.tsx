import { useTake } from '../studio-context'

/** Marks a picture that is not a frame yet. The status region already says that the chunk is being made. */
export function EstimateBadge() {
  const estimate = useTake(({ preview }) => preview.estimate === true)
  if (!estimate) return null
  return (
    <span className="estimate-badge" aria-hidden="true" data-testid="estimate-badge">
      Estimate
    </span>
  )
}
