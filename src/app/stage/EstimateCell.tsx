import { useEffect, useRef } from 'react'

import { chunkUnderWay } from '../../store/timeline'
import { useModel, useStudio, useTake } from '../studio-context'

/** What the chunk under way looks like so far, in its place on the strip. The stage worker draws it. */
export function EstimateCell() {
  const { generator } = useStudio()
  const ref = useRef<HTMLCanvasElement>(null)
  const model = useModel((state) => state.loaded?.manifest)
  const left = useTake((state) => chunkUnderWay(state, model)?.left)
  const right = useTake((state) => chunkUnderWay(state, model)?.right)

  useEffect(() => {
    const canvas = ref.current
    // A canvas can be handed over once; an effect may run twice on the same one.
    if (!canvas || canvas.dataset['transferred']) return
    canvas.dataset['transferred'] = 'true'
    void generator.attachEstimate(canvas.transferControlToOffscreen())
  }, [generator])

  return (
    <canvas
      ref={ref}
      className="filmstrip-estimate"
      data-testid="estimate-cell"
      aria-hidden="true"
      hidden={left === undefined}
      // A canvas is as wide as its pixels say unless it is told otherwise.
      style={left === undefined ? {} : { left, width: `calc(100% - (${left}) - (${right}))` }}
    />
  )
}
