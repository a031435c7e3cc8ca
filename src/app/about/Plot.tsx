/** A value against steps, a line each; steps on a scale of doublings. */

interface Point {
  readonly steps: number
  readonly value: number
  /** Ends of its interval, where it has one. */
  readonly low?: number
  readonly high?: number
}

interface Props {
  title: string
  lines: readonly (readonly Point[])[]
  /** Top of the scale; from the values unless given. */
  max?: number
  /** A line across: what to compare with. */
  floor?: number
}

/** Lines that look different (about.css); with more, looks repeat. */
export const LINE_STYLES = 8

const WIDTH = 300
const HEIGHT = 190
const LEFT = 34
const RIGHT = 8
const TOP = 8
const BOTTOM = 26
/** Parts that the scale is divided into. */
const TICKS = 4

export function Plot({ title, lines, max, floor }: Props) {
  const points = lines.flat()
  const steps = [...new Set(points.map((point) => point.steps))].toSorted((a, b) => a - b)
  const first = Math.log2(steps[0] ?? 1)
  const span = Math.log2(steps.at(-1) ?? 1) - first || 1
  const top = max ?? roundUp(Math.max(...points.map(({ value, high = value }) => high), floor ?? 0))
  const x = (count: number): number => LEFT + ((Math.log2(count) - first) / span) * (WIDTH - LEFT - RIGHT)
  const y = (value: number): number =>
    TOP + (1 - Math.min(Math.max(value, 0), top) / top) * (HEIGHT - TOP - BOTTOM)
  const ticks = Array.from({ length: TICKS + 1 }, (_, i) => (i * top) / TICKS)
  return (
    <figure className="plot">
      <figcaption>{title}</figcaption>
      <svg
        role="img"
        aria-label={`${title}. The numbers are in the table below.`}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      >
        {ticks.map((tick) => (
          <g key={tick}>
            <path className="plot-grid" d={`M${LEFT} ${y(tick)}H${WIDTH - RIGHT}`} />
            <text x={LEFT - 6} y={y(tick) + 3.5} textAnchor="end">
              {formatTick(tick, top)}
            </text>
          </g>
        ))}
        {steps.map((count) => (
          <text key={count} x={x(count)} y={HEIGHT - 8} textAnchor="middle">
            {count}
          </text>
        ))}
        {floor === undefined ? null : (
          <path className="plot-floor" d={`M${LEFT} ${y(floor)}H${WIDTH - RIGHT}`} />
        )}
        {lines.map((line, i) => (
          <g key={i} data-line={i % LINE_STYLES}>
            <path className="plot-band" d={band(line, x, y)} />
            <path
              className="plot-line"
              d={`M${line.map((point) => `${x(point.steps)} ${y(point.value)}`).join('L')}`}
            />
            {line.map((point) => (
              <circle key={point.steps} className="plot-dot" cx={x(point.steps)} cy={y(point.value)} r="3" />
            ))}
          </g>
        ))}
      </svg>
    </figure>
  )
}

type Scale = (value: number) => number

/** The area between the ends of the intervals. */
function band(line: readonly Point[], x: Scale, y: Scale): string {
  const there = line.map(({ steps, value, high = value }) => `${x(steps)} ${y(high)}`)
  const back = line.toReversed().map(({ steps, value, low = value }) => `${x(steps)} ${y(low)}`)
  return `M${[...there, ...back].join('L')}Z`
}

/** The next of 1, 2, 4, 5 times a power of ten: its quarters are short numbers. */
function roundUp(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return power * ([1, 2, 4, 5, 10].find((factor) => factor * power >= value) ?? 10)
}

function formatTick(value: number, top: number): string {
  return value.toFixed(top < 1 ? 2 : top < TICKS || top % TICKS !== 0 ? 1 : 0)
}
