import { type KeyboardEvent, useEffect, useMemo, useRef } from 'react'
import { Slider, SliderThumb, SliderTrack } from 'react-aria-components'

import { promptMarks, seedMarks } from '../../store/marks'
import { chunkProgress, heldSpans, stripPictures, timelineLength } from '../../store/timeline'
import { useModel, usePlayback, useStudio, useTake } from '../studio-context'
import { useWidth } from '../use-width'
import { EstimateCell } from './EstimateCell'

/** Width of a picture's pixels; on the strip it is half that, dense displays show it all. */
const PICTURE_WIDTH = 128

/** Keys that move a slider, besides Home and End. */
const MOVES = new Set(['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'PageUp', 'PageDown'])

/** The clip from left to right, chunk by chunk as it is made. Pressing or dragging in it seeks. */
export function Filmstrip() {
  const studio = useStudio()
  const take = useTake((state) => state)
  const model = useModel((state) => state.loaded?.manifest)
  const { shown, preview } = take
  const frames = shown?.frames ?? 0
  const total = timelineLength(take)
  const dropped = shown?.dropped ?? 0
  const spans = useMemo(() => heldSpans(total, dropped, model), [total, dropped, model])
  const last = Math.max(1, total - 1)
  const strip = useRef<HTMLSpanElement>(null)
  const width = useWidth(strip)
  const { video } = model ?? {}
  const pictures = stripPictures(width, video ? video.width / video.height : 1, total)
  const given = shown?.request.given?.length ?? shown?.lostGiven ?? 0
  // Once the oldest frames are gone, so are the given ones.
  const hasGiven = given > 0 && (take.frames <= frames || !shown?.request.endless)
  const target = usePlayback((state) => state.target)
  const frame = Math.max(0, Math.min(target ?? preview.frame, frames - 1))
  /** The slider tells of new values only, and a clip that plays may stand on the very frame that is asked for. */
  const hold = (): void => {
    if (frames > 0 && preview.playing) void studio.playback.pause()
  }
  const onKeyDown = ({ key }: KeyboardEvent): void => {
    if (frames === 0) return
    if (key === 'Home') void studio.seek(0)
    else if (key === 'End') void studio.seek(frames - 1)
    else if (MOVES.has(key)) hold()
  }
  return (
    <div className="filmstrip-hold" onKeyDownCapture={onKeyDown} onPointerDownCapture={hold}>
      <Slider
        className="filmstrip"
        aria-label="Frame"
        minValue={0}
        maxValue={last}
        value={frame}
        isDisabled={frames === 0}
        onChange={(value) => void studio.seek(Math.min(value, frames - 1))}
      >
        <SliderTrack className="filmstrip-track">
          <span className="filmstrip-pictures" aria-hidden="true" ref={strip}>
            {Array.from({ length: pictures }, (_, i) => (
              <Picture key={i} index={Math.floor(((i + 0.5) * total) / pictures)} />
            ))}
          </span>
          <EstimateCell />
          <span className="filmstrip-chunks" aria-hidden="true" data-testid="chunks">
            {spans.map((span, i) => {
              const done = chunkProgress(span, i, take)
              return (
                <span
                  key={span.first}
                  className="filmstrip-chunk"
                  data-done={done === 1}
                  style={{ flexGrow: span.count }}
                >
                  <span style={{ width: `${done * 100}%` }} />
                </span>
              )
            })}
          </span>
          {seedMarks(shown, total, model).map(({ chunk, seed, left: position }) => (
            <span
              key={chunk}
              className="filmstrip-seed"
              style={{ left: position }}
              role="img"
              aria-label={`Chunk ${chunk} has seed ${seed}`}
              title={`From here another seed: chunk ${chunk} was made again with ${seed}`}
              data-testid="seed-mark"
            />
          ))}
          {promptMarks(shown, total, model).map(({ chunk, prompt, left: position }) => (
            <span
              key={chunk}
              className="filmstrip-prompt"
              style={{ left: position }}
              role="img"
              aria-label={`From chunk ${chunk}: ${prompt}`}
              title={`From here: ${prompt}`}
              data-testid="prompt-mark"
            />
          ))}
          {hasGiven ? (
            <span
              className="filmstrip-given"
              style={{ width: `${(Math.min(given, total) / Math.max(1, total)) * 100}%` }}
              role="img"
              aria-label={given === 1 ? 'The first frame was given' : `The first ${given} frames were given`}
              title={given === 1 ? 'Given: the first frame' : `Given: the first ${given} frames`}
              data-testid="given"
              data-given={given}
            />
          ) : null}
          <SliderThumb className="filmstrip-head" />
        </SliderTrack>
      </Slider>
    </div>
  )
}

/** One frame of the take on the preview, once it is decoded. */
function Picture({ index }: { index: number }) {
  const { generator } = useStudio()
  const ref = useRef<HTMLCanvasElement>(null)
  const request = useTake((state) => state.shown?.request)
  // Where there is no end the oldest frames go, and another moves to this index.
  const version = useTake(({ shown, frames }) => (shown?.request.endless ? frames : 0))
  const ready = useTake((state) => index < (state.shown?.frames ?? 0))
  useEffect(() => {
    const canvas = ref.current
    if (!canvas || !ready) return
    let current = true
    const draw = async (): Promise<void> => {
      const { rgba, width, height } = await generator.getFrame(index)
      const image = new ImageData(rgba, width, height)
      // Scaled off this thread.
      const bitmap = await createImageBitmap(
        image,
        width > PICTURE_WIDTH ? { resizeWidth: PICTURE_WIDTH, resizeQuality: 'medium' } : {},
      )
      if (current) {
        canvas.width = bitmap.width
        canvas.height = bitmap.height
        canvas.getContext('2d')?.drawImage(bitmap, 0, 0)
      }
      bitmap.close()
    }
    // Replaced by another take meanwhile: that one draws its own.
    void draw().catch(() => undefined)
    return () => {
      current = false
    }
  }, [generator, index, request, ready, version])
  return <canvas ref={ref} hidden={!ready} />
}
