import { useEffect, useState } from 'react'
import { Button, FileTrigger } from 'react-aria-components'

import type { Rgba } from '../../engine/types'
import type { Clip } from '../../media/clip'
import { formatTimecode } from '../../store/format'
import { askedFrames } from '../../store/request'
import { describeLead, leadLength, leadProblem } from '../../store/source'
import { ValueSlider } from '../controls/ValueSlider'
import { FilmIcon } from '../icons'
import { useModel, useRequest, useSource, useStudio, useTake } from '../studio-context'
import { FrameImage } from './FrameImage'
import { SourceMessage } from './SourceMessage'

/** The clip that the take goes on from, and where it is cut. */
export function ClipSource() {
  const studio = useStudio()
  const clip = useSource((state) => state.clip)
  const shown = useTake((state) => state.shown?.request)
  const running = useTake((state) => state.phase === 'running')
  const canUseShown = !running && shown !== undefined && clip?.request !== shown
  const pick = (files: FileList | null): void => {
    const file = files?.[0]
    if (file) void studio.sources.useVideo(file, file.name)
  }
  return (
    <div className="source">
      {clip ? (
        <CutPoint clip={clip} />
      ) : (
        <p className="dropzone">
          Drop a video here, open one, or make a take first. The new clip goes on from it.
        </p>
      )}
      <div className="source-actions">
        <Button
          className="button secondary small"
          isDisabled={!canUseShown}
          onPress={() => void studio.sources.useShownTake()}
        >
          Use the shown take
        </Button>
        <FileTrigger acceptedFileTypes={['video/*']} onSelect={pick}>
          <Button className="button secondary small">
            <FilmIcon size={16} />
            Open a video
          </Button>
        </FileTrigger>
      </div>
      <SourceMessage task="continue" />
    </div>
  )
}

function CutPoint({ clip }: { clip: Clip }) {
  const studio = useStudio()
  const cut = useSource((state) => state.cut)
  const endless = useRequest((state) => state.endless)
  const length = useRequest((state) => state.length)
  const loaded = useModel((state) => state.loaded)
  const isShown = useTake((state) => state.shown?.request === clip.request)
  const frame = useFrame(clip, cut - 1)
  if (!loaded) return null
  const { lengths } = loaded
  const { width, height, fps } = loaded.manifest.video
  const frames = askedFrames({ endless, length }, lengths) ?? 1
  const given = leadLength(lengths, frames, cut)
  return (
    <div className="cut">
      {frame ? (
        <FrameImage
          image={frame}
          width={width}
          height={height}
          label={`${clip.name} at the cut`}
          className="cut-frame"
        />
      ) : (
        <span className="cut-frame" />
      )}
      <div className="cut-controls">
        <p className="source-hint">
          <span className="source-name">{clip.name}</span>
          {clip.request
            ? `Seed ${clip.request.seed}, ${isShown ? 'the shown take' : 'not the shown take'}`
            : null}
        </p>
        <ValueSlider
          label="Cut point"
          min={1}
          max={clip.frames}
          value={cut}
          isDisabled={clip.frames < 2}
          readout={<strong>{formatTimecode(cut, fps)}</strong>}
          onChange={(value) => studio.sources.store.setState({ cut: value })}
        />
        <p className="source-hint">
          {given === undefined ? leadProblem(lengths, frames, cut) : describeLead(given, frames, endless)}
        </p>
      </div>
    </div>
  )
}

/** How long the cut must rest before its frame is read, ms: files take their time to find a place. */
const REST = 80

function useFrame(clip: Clip, index: number): Rgba | undefined {
  const [read, setRead] = useState<{ clip: Clip; rgba: Rgba }>()
  useEffect(() => {
    const left = new AbortController()
    const timer = setTimeout(() => {
      clip.read(index, 1, left.signal).then(
        ([rgba]) => !left.signal.aborted && rgba && setRead({ clip, rgba }),
        // The same failure comes, in words, when the take is made.
        () => undefined,
      )
    }, REST)
    return () => {
      left.abort()
      clearTimeout(timer)
    }
  }, [clip, index])
  return read?.clip === clip ? read.rgba : undefined
}
