import { useEffect, useRef, useState } from 'react'

import type { TakeRecord } from '../../gallery/records'
import { useStudio } from '../studio-context'

/** Size and number of the pictures that a thumbnail plays. */
const WIDTH = 192
const COUNT = 24

interface Props {
  take: TakeRecord
  /** The pointer or the focus is on it: it plays. */
  active: boolean
}

/** A take in small: its poster, and while active the clip at its own speed. */
export function TakeThumb({ take, active }: Props) {
  const { gallery } = useStudio()
  const canvas = useRef<HTMLCanvasElement>(null)
  const [playing, setPlaying] = useState(false)
  const poster = useObjectUrl(take.poster)
  const { id, frames, fps, width, height } = take

  useEffect(() => {
    if (!active) return
    let over = false
    let timer: ReturnType<typeof setInterval> | undefined
    let pictures: readonly ImageBitmap[] = []
    const play = async (): Promise<void> => {
      pictures = await gallery.thumbnails(id, WIDTH, COUNT)
      const context = canvas.current?.getContext('2d')
      const [first] = pictures
      if (over || !context || !first) return
      context.canvas.width = first.width
      context.canvas.height = first.height
      let next = 0
      const draw = (): void => context.drawImage(pictures[next++ % pictures.length]!, 0, 0)
      draw()
      setPlaying(true)
      timer = setInterval(draw, (1000 * frames) / fps / pictures.length)
    }
    // Deleted meanwhile, or damaged: the poster stays.
    const started = play().catch(() => undefined)
    return () => {
      over = true
      clearInterval(timer)
      setPlaying(false)
      void started.then(() => {
        for (const picture of pictures) picture.close()
      })
    }
  }, [gallery, active, id, frames, fps])

  return (
    <span className="take-picture" style={{ aspectRatio: `${width} / ${height}` }} data-playing={playing}>
      {poster ? <img src={poster} alt="" draggable={false} /> : null}
      <canvas ref={canvas} hidden={!playing} />
    </span>
  )
}

function useObjectUrl(blob: Blob | undefined): string | undefined {
  const [url, setUrl] = useState<string>()
  useEffect(() => {
    if (!blob) return
    const made = URL.createObjectURL(blob)
    // The address exists outside React and must be given back to it.
    // eslint-disable-next-line react-hooks/set-state-in-effect
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [blob])
  return blob ? url : undefined
}
