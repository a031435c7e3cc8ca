import { useEffect, useRef } from 'react'

import type { TileSync } from '../../worker/protocol'
import { useStudio } from '../studio-context'

interface Props {
  /** What the take is held under. */
  kept: number
  sync: TileSync
  label: string
}

/**
 * Plays a held take. The canvas goes to the stage worker, which can happen once: it is made in the effect, so that an
 * effect that runs twice makes two.
 */
export function TakeCanvas({ kept, sync, label }: Props) {
  const studio = useStudio()
  const ref = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    const place = ref.current
    if (!place) return
    const canvas = document.createElement('canvas')
    place.append(canvas)
    const tile = studio.generator.attachTile(canvas.transferControlToOffscreen(), kept, sync)
    // A take that is gone leaves its place empty.
    tile.catch(() => undefined)
    return () => {
      canvas.remove()
      void tile.then((id) => studio.generator.detachTile(id)).catch(() => undefined)
    }
  }, [studio, kept, sync])
  return <span ref={ref} className="take-canvas" role="img" aria-label={label} />
}
