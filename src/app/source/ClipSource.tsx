import { useEffect, useState } from 'react'
import { Button, FileTrigger } from 'react-aria-components'

import type { Rgba } from '../../engine/types'
import type { Clip } from '../../media/clip'
import { formatTimecode } from '../../store/format'
import { leadLength } from '../../store/source'
import { ValueSlider } from '../controls/ValueSlider'
import { FilmIcon } from '../icons'
import { useModel, useRequest, useSource, useStudio, useTake } from '../studio-context'
import { FrameImage } from './FrameImage'
import { SourceMessage } from './SourceMessage'

/** The clip that the take goes on from, and where it is cut. */
export function ClipSource() {
  const studio = useStudio()
  const clip = useSource((state) => state.clip)
  const canUseShown = useTake((state) => state.phase !== 'running' && state.shown !== undefined)
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
      <SourceMessage />
    </div>
  )
}

function CutPoint({ clip }: { clip: Clip }) {
  const studio = useStudio()
  const cut = useSource((state) => state.cut)
  const length = useRequest((state) => state.length)
  const loaded = useModel((state) => state.loaded)
  const frame = useFrame(clip, cut - 1)
  if (!loaded) return null
  const { width, height, fps } = loaded.manifest.video
  const given = length === undefined ? undefined : leadLength(loaded.lengths, length, cut)
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
          {given === undefined || length === undefined
            ? 'Choose a longer clip below: nothing would be left to make.'
            : `The last ${given === 1 ? 'frame' : `${given} frames`} before the cut ${given === 1 ? 'leads' : 'lead'} in, ${length - given} are new.`}
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
    let current = true
    const timer = setTimeout(() => {
      clip.read(index, 1).then(
        ([rgba]) => current && rgba && setRead({ clip, rgba }),
        // The same failure comes, in words, when the take is made.
        () => undefined,
      )
    }, REST)
    return () => {
      current = false
      clearTimeout(timer)
    }
  }, [clip, index])
  return read?.clip === clip ? read.rgba : undefined
}
