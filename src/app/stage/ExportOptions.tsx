import { useEffect, useState } from 'react'
import {
  Button,
  Dialog,
  DialogTrigger,
  Heading,
  Label,
  Popover,
  Slider,
  SliderThumb,
  SliderTrack,
} from 'react-aria-components'

import { availableCodecs, videoBitrate } from '../../export/codecs'
import type { ExportFormat } from '../../export/exporter'
import { type CodecChoice, MAX_LOOPS, type Quality, type Scale } from '../../export/settings'
import { formatBytes, formatClipLength } from '../../store/format'
import type { ShownTake } from '../../store/take'
import { ValueSlider } from '../controls/ValueSlider'
import { SlidersIcon } from '../icons'
import { Segments } from '../Segments'
import { useExport, useStudio, useTake } from '../studio-context'

const codecNames = { auto: 'Best', avc: 'H.264', vp9: 'VP9', av1: 'AV1' } as const satisfies Record<
  CodecChoice,
  string
>
const qualities: readonly { id: Quality; label: string }[] = [
  { id: 'small', label: 'Small' },
  { id: 'normal', label: 'Normal' },
  { id: 'high', label: 'High' },
]
const scales = ['1', '2', '4'].map((id) => ({ id, label: `${id}x` }))

/** What "Export MP4" writes, and the other kinds of file. */
export function ExportOptions() {
  const shown = useTake((state) => state.shown)
  return (
    <DialogTrigger>
      <Button className="icon-button" aria-label="Export options" isDisabled={!shown}>
        <SlidersIcon />
      </Button>
      <Popover className="popover" placement="top end">
        <Dialog className="dialog">
          {({ close }) => (
            <>
              <Heading slot="title">Export options</Heading>
              {shown ? <Options shown={shown} close={close} /> : null}
            </>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  )
}

/** @param close leaves the popover, which keeps what is outside out of reach: Cancel is there */
function Options({ shown, close }: { shown: ShownTake; close: () => void }) {
  const { exporting } = useStudio()
  const running = useExport((state) => state.phase === 'running')
  const settings = useExport((state) => state.settings)
  const { codec, quality, scale, loops } = settings
  const width = shown.width * scale
  const height = shown.height * scale
  const codecs = useCodecs(width, height, shown.fps)
  const write = (format: ExportFormat): void => {
    void exporting.export(format)
    close()
  }
  return (
    <>
      <Segments
        label="Codec"
        choices={(['auto', ...codecs] as const).map((id) => ({ id, label: codecNames[id] }))}
        value={codec}
        onChange={(value) => exporting.change({ codec: value as CodecChoice })}
      />
      <Segments
        label="Quality"
        choices={qualities}
        value={quality}
        onChange={(value) => exporting.change({ quality: value as Quality })}
      />
      <Segments
        label="Scale"
        choices={scales}
        value={String(scale)}
        onChange={(value) => exporting.change({ scale: Number(value) as Scale })}
      />
      <ValueSlider
        label="Loops"
        min={1}
        max={MAX_LOOPS}
        value={loops}
        onChange={(value) => exporting.change({ loops: value })}
        readout={<strong>{loops}</strong>}
      />
      <RangeSlider shown={shown} />
      <Summary shown={shown} width={width} height={height} />
      <div className="dialog-actions">
        <Button className="button secondary small" isDisabled={running} onPress={() => write('gif')}>
          Export GIF
        </Button>
        <Button className="button secondary small" isDisabled={running} onPress={() => write('png')}>
          Save frame as PNG
        </Button>
      </div>
    </>
  )
}

/** The codecs this browser has at that size; none until it has said. */
function useCodecs(width: number, height: number, fps: number): readonly Exclude<CodecChoice, 'auto'>[] {
  const [codecs, setCodecs] = useState<readonly Exclude<CodecChoice, 'auto'>[]>([])
  useEffect(() => {
    let current = true
    availableCodecs(width, height, fps).then(
      (found) => current && setCodecs(found),
      () => current && setCodecs([]),
    )
    return () => {
      current = false
    }
  }, [width, height, fps])
  return codecs
}

function RangeSlider({ shown }: { shown: ShownTake }) {
  const { exporting } = useStudio()
  const range = useExport((state) => state.range)
  const end = shown.frames - 1
  const first = Math.min(range?.first ?? 0, end)
  const last = Math.min(range?.last ?? end, end)
  return (
    <Slider
      className="slider"
      minValue={0}
      maxValue={Math.max(1, end)}
      value={[first, last]}
      isDisabled={end < 1}
      onChange={([from = 0, to = end]) => exporting.chooseRange(from, to)}
    >
      <div className="field-head">
        <Label>Frames</Label>
        <span className="readout">
          <strong>
            {first} to {last}
          </strong>
        </span>
      </div>
      <SliderTrack className="slider-track">
        <span
          className="slider-fill range"
          style={{
            left: `${(first / Math.max(1, end)) * 100}%`,
            width: `${((last - first) / Math.max(1, end)) * 100}%`,
          }}
        />
        <SliderThumb className="slider-thumb" index={0} aria-label="First frame" />
        <SliderThumb className="slider-thumb" index={1} aria-label="Last frame" />
      </SliderTrack>
    </Slider>
  )
}

/** Size and length of the MP4. Its bytes follow from the bitrate, which an encoder stays below when little moves. */
function Summary({ shown, width, height }: { shown: ShownTake; width: number; height: number }) {
  const { quality, loops } = useExport((state) => state.settings)
  const range = useExport((state) => state.range)
  const last = Math.min(range?.last ?? Infinity, shown.frames - 1)
  const frames = (last - Math.min(range?.first ?? 0, last) + 1) * loops
  const bytes = (videoBitrate(width, height, shown.fps, quality) * frames) / shown.fps / 8
  return (
    <p className="muted">
      MP4: {width} x {height}, {formatClipLength(frames, shown.fps)}, about {formatBytes(Math.round(bytes))}{' '}
      at most
    </p>
  )
}
