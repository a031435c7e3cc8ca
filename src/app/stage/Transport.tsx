import { Button, Menu, MenuItem, MenuTrigger, Popover, ToggleButton } from 'react-aria-components'

import { formatTimecode } from '../../store/format'
import { RefineButton } from '../compare/RefineButton'
import { isAtEnd, SPEEDS } from '../../store/playback'
import { timelineLength } from '../../store/timeline'
import { GaugeIcon, LoopIcon, PauseIcon, PlayIcon, StepBackIcon, StepForwardIcon } from '../icons'
import { usePlayback, useStudio, useTake } from '../studio-context'
import { ExportButton } from './ExportButton'
import { FullScreenButton } from './FullScreenButton'
import { RedoButton } from './RedoButton'

/** Play, step, loop, speed, and export of what has been decoded so far. */
export function Transport() {
  const studio = useStudio()
  const { playback } = studio
  const take = useTake((state) => state)
  const mode = usePlayback((state) => state)
  const { shown, preview } = take
  const frames = shown?.frames ?? 0
  const total = timelineLength(take)
  const fps = shown?.fps ?? 1
  const playing = frames > 0 && preview.playing && !isAtEnd(mode, take)
  const frame = Math.max(0, Math.min(preview.frame, frames - 1))
  return (
    <div className="transport" data-empty={frames === 0}>
      <div className="transport-keys">
        <Button
          className="icon-button"
          aria-label="Previous frame"
          isDisabled={frames === 0}
          onPress={() => void playback.step(-1)}
        >
          <StepBackIcon size={16} />
        </Button>
        <Button
          className="icon-button play"
          aria-label={playing ? 'Pause' : 'Play'}
          isDisabled={frames === 0}
          onPress={() => void studio.togglePlayback()}
        >
          {playing ? <PauseIcon size={20} /> : <PlayIcon size={20} />}
        </Button>
        <Button
          className="icon-button"
          aria-label="Next frame"
          isDisabled={frames === 0}
          onPress={() => void playback.step(1)}
        >
          <StepForwardIcon size={16} />
        </Button>
        <ToggleButton
          className="icon-button"
          aria-label="Loop"
          isSelected={mode.loop}
          onChange={(loop) => void playback.setLoop(loop)}
        >
          <LoopIcon />
        </ToggleButton>
        <SpeedMenu />
        <p className="timecode">
          {frames === 0 ? '0:00.0' : formatTimecode(frame + 1, fps)}
          <span className="muted"> / {frames === 0 ? '0:00.0' : formatTimecode(total, fps)}</span>
        </p>
      </div>
      <div className="transport-keys">
        <RedoButton />
        <ToggleButton
          className="icon-button"
          aria-label="Show measurements"
          isSelected={mode.hud}
          onChange={() => playback.toggleHud()}
        >
          <GaugeIcon />
        </ToggleButton>
        <FullScreenButton />
      </div>
      <RefineButton />
      <ExportButton />
    </div>
  )
}

function SpeedMenu() {
  const { playback } = useStudio()
  const rate = usePlayback((state) => state.rate)
  return (
    <MenuTrigger>
      <Button className="icon-button speed" aria-label={`Speed, ${rate}x`}>
        {rate}x
      </Button>
      <Popover className="popover menu-popover" placement="top">
        <Menu
          className="menu"
          aria-label="Speed"
          selectionMode="single"
          disallowEmptySelection
          selectedKeys={[String(rate)]}
          onSelectionChange={(keys) => {
            if (keys !== 'all') for (const key of keys) void playback.setRate(Number(key))
          }}
        >
          {SPEEDS.map((speed) => (
            <MenuItem key={speed} id={String(speed)} className="menu-item">
              {speed}x
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  )
}
