import { useEffect, useRef, useState } from 'react'
import { Button, Heading, Slider, SliderThumb, SliderTrack } from 'react-aria-components'

import type { Clip, TakeRecord } from '../../gallery/records'
import { frameAtTime } from '../../store/kept-compare'
import { formatDuration } from '../../store/format'
import { CloseIcon, PauseIcon, PlayIcon } from '../icons'
import { useStudio } from '../studio-context'

interface Side {
  readonly record: TakeRecord
  readonly clip: Clip
}

/** Two takes on one clock. */
export function Comparison({ ids }: { ids: readonly string[] }) {
  const { gallery } = useStudio()
  const [sides, setSides] = useState<readonly Side[]>()
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    let current = true
    const read = async (): Promise<void> => {
      const found: Side[] = []
      for (const id of ids) {
        const record = gallery.find(id)
        if (record) found.push({ record, clip: await gallery.clip(id) })
      }
      if (current) setSides(found)
    }
    read().catch((error: unknown) => {
      if (current) setProblem(error instanceof Error ? error.message : String(error))
    })
    return () => {
      current = false
    }
  }, [gallery, ids])
  return (
    <>
      <div className="dialog-head">
        <Heading slot="title">Compare takes</Heading>
        <Button slot="close" className="icon-button" aria-label="Close">
          <CloseIcon />
        </Button>
      </div>
      {problem ? <p className="bad">{problem}</p> : null}
      {sides ? <InSync sides={sides} /> : null}
    </>
  )
}

function InSync({ sides }: { sides: readonly Side[] }) {
  const seconds = Math.max(...sides.map(({ clip }) => clip.frames.length / clip.fps))
  const [time, setTime] = useState(0)
  const [playing, setPlaying] = useState(true)
  useEffect(() => {
    if (!playing) return
    let request = 0
    let last = performance.now()
    const tick = (now: number): void => {
      // The difference is taken before it is used: React may run the update later.
      const passed = Math.max(0, now - last) / 1000
      last = now
      setTime((before) => (before + passed) % seconds)
      request = requestAnimationFrame(tick)
    }
    request = requestAnimationFrame(tick)
    return () => cancelAnimationFrame(request)
  }, [playing, seconds])
  return (
    <>
      <div className="compare">
        {sides.map(({ record, clip }, i) => (
          <figure key={record.id}>
            <ClipCanvas clip={clip} frame={frameAtTime(clip, time)} name={i === 0 ? 'A' : 'B'} />
            <figcaption>
              <strong>{i === 0 ? 'A' : 'B'}</strong> {record.request.prompt}
              <span className="muted">
                {record.request.steps} steps, seed {record.request.seed}, {record.model.name}
                {record.timings ? `, ${formatDuration(record.timings.totalMs)}` : ''}
              </span>
            </figcaption>
          </figure>
        ))}
      </div>
      <div className="compare-transport">
        <Button
          className="icon-button"
          aria-label={playing ? 'Pause both' : 'Play both'}
          onPress={() => setPlaying(!playing)}
        >
          {playing ? <PauseIcon size={20} /> : <PlayIcon size={20} />}
        </Button>
        <Slider
          className="scrubber"
          aria-label="Time in both takes"
          minValue={0}
          maxValue={seconds}
          step={0.01}
          value={time}
          onChange={(value) => {
            setPlaying(false)
            setTime(Math.min(value, seconds - 0.001))
          }}
        >
          <SliderTrack className="scrubber-track">
            <span className="scrubber-played" style={{ width: `${(time / seconds) * 100}%` }} />
            <SliderThumb className="scrubber-thumb" />
          </SliderTrack>
        </Slider>
      </div>
    </>
  )
}

/** Draws frames at their own size; CSS scales. */
function ClipCanvas({ clip, frame, name }: { clip: Clip; frame: number; name: string }) {
  const ref = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const rgba = clip.frames[frame]
    if (rgba) ref.current?.getContext('2d')?.putImageData(new ImageData(rgba, clip.width, clip.height), 0, 0)
  }, [clip, frame])
  return (
    <canvas
      ref={ref}
      width={clip.width}
      height={clip.height}
      role="img"
      aria-label={`Take ${name}`}
      data-frame={frame}
    />
  )
}
