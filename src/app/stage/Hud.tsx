import { formatBytes, formatDuration } from '../../store/format'
import { useGallery, useModel, usePlayback, useTake } from '../studio-context'

/** What the take on the preview measured, over the picture. Only measured numbers; a dash until there is one. */
export function Hud() {
  const on = usePlayback((state) => state.hud)
  const timings = useTake((state) => state.timings)
  const running = useTake((state) => state.phase === 'running')
  const frames = useTake((state) => state.frames)
  const shown = useTake((state) => state.shown)
  const loaded = useModel((state) => state.loaded?.backend.label)
  // A kept take may have been made elsewhere.
  const backend =
    useGallery(({ takes, shownId }) => takes.find(({ id }) => id === shownId)?.backend) ?? loaded
  if (!on) return null
  // The runtime's, and the decoded frames' pixels.
  const held = shown ? shown.frames * shown.width * shown.height * 4 : 0
  const memory = timings?.wasmBytes === undefined ? undefined : timings.wasmBytes + held
  // A kept take without an end has the times of all its frames, also of those let go since.
  const made = running ? frames : shown ? shown.frames + (shown.dropped ?? 0) : 0
  const rate = timings && made > 0 ? (made * 1000) / timings.totalMs : undefined
  const facts: [string, string | undefined][] = [
    ['Pass', timings?.passMs === undefined ? undefined : formatDuration(timings.passMs)],
    ['Frames a second', rate?.toFixed(1)],
    ['First frame', timings?.firstFrameMs === undefined ? undefined : formatDuration(timings.firstFrameMs)],
    ['Backend', backend],
    ['Memory', memory === undefined ? undefined : formatBytes(memory)],
    ...(timings?.gpuBytes === undefined
      ? []
      : [['GPU memory', formatBytes(timings.gpuBytes)] satisfies [string, string]]),
  ]
  return (
    <dl className="hud" data-testid="hud" aria-label="Measurements">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value ?? '–'}</dd>
        </div>
      ))}
    </dl>
  )
}
