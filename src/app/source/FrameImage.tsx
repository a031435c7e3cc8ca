import { useEffect, useRef } from 'react'

import type { Rgba } from '../../engine/types'

interface Props {
  /** Pixels of the size given, or a bitmap of that size. */
  image: Rgba | ImageBitmap
  width: number
  height: number
  label: string
  className?: string
}

/** A still picture made of pixels. */
export function FrameImage({ image, width, height, label, className }: Props) {
  const ref = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const context = ref.current?.getContext('2d')
    if (!context) return
    if (image instanceof ImageBitmap) context.drawImage(image, 0, 0)
    else context.putImageData(new ImageData(image, width, height), 0, 0)
  }, [image, width, height])
  return (
    <canvas ref={ref} className={className} width={width} height={height} role="img" aria-label={label} />
  )
}
