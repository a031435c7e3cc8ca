import { useEffect, useRef } from 'react'

import { decodedFrames } from '../../store/take'
import { useModel, useStudio, useTake } from '../studio-context'

/** The canvas that the worker draws on. React owns its attributes, never its pixels. */
export function PreviewCanvas() {
  const studio = useStudio()
  const ref = useRef<HTMLCanvasElement>(null)
  const frames = useTake(decodedFrames)
  const takePhase = useTake((state) => state.phase)
  const modelFailed = useModel((state) => state.phase === 'error')
  const prompt = useTake((state) => state.shown?.request.prompt)

  useEffect(() => {
    const canvas = ref.current
    // A canvas can be handed over once; an effect may run twice on the same one.
    if (!canvas || canvas.dataset['transferred']) return
    canvas.dataset['transferred'] = 'true'
    void studio.generator.attachCanvas(canvas.transferControlToOffscreen())
  }, [studio])

  return (
    <canvas
      ref={ref}
      className="preview"
      data-testid="preview"
      data-frames={frames}
      data-state={modelFailed ? 'error' : takePhase}
      role="img"
      aria-label={prompt ? `Video: ${prompt}` : 'Empty preview'}
    />
  )
}
