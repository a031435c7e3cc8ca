import { useEffect, useEffectEvent, useRef, useState } from 'react'

import type { TakeRecord } from '../../gallery/records'
import { useStudio } from '../studio-context'

interface Props {
  take: TakeRecord
  /** The pointer or the focus is on it, or its menu is open: it plays. */
  active: boolean
}

/** A take in small: its poster, and while active the clip at its own speed. */
export function TakeThumb({ take, active }: Props) {
  const { gallery } = useStudio()
  const canvas = useRef<HTMLCanvasElement>(null)
  const [playing, setPlaying] = useState(false)
  const poster = useObjectUrl(take.poster)
  const { id, width, height } = take
  // As the take is when it starts to play: one that is being made must not be unpacked at every chunk.
  const borrow = useEffectEvent(() => ({
    ...gallery.thumbnails.borrow(take),
    duration: (1000 * take.frames) / take.fps,
  }))

  useEffect(() => {
    if (!active) return
    let over = false
    let timer: ReturnType<typeof setInterval> | undefined
    const { pictures, release, duration } = borrow()
    const play = async (): Promise<void> => {
      const frames = await pictures
      const context = canvas.current?.getContext('2d')
      const [first] = frames
      if (over || !context || !first) return
      context.canvas.width = first.width
      context.canvas.height = first.height
      let next = 0
      const draw = (): void => context.drawImage(frames[next++ % frames.length]!, 0, 0)
      draw()
      setPlaying(true)
      timer = setInterval(draw, duration / frames.length)
    }
    // Deleted meanwhile, or damaged: the poster stays.
    play().catch(() => undefined)
    return () => {
      over = true
      clearInterval(timer)
      setPlaying(false)
      release()
    }
  }, [active, id])

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
