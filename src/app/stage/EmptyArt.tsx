/** Stages of one ball on its way from noise to picture: how far the dots still are from where they belong. */
const stages = [1, 0.62, 0.34, 0.14, 0] as const
const dots = scatter(150)

/** What the app does, in one drawing: noise gathers into a ball. Decoration for the empty preview. */
export function EmptyArt() {
  return (
    <svg className="empty-art" aria-hidden="true" viewBox="0 0 600 130">
      <defs>
        <radialGradient id="ball" cx="0.36" cy="0.3" r="0.8">
          <stop offset="0" stopColor="#ffd9c4" />
          <stop offset="0.35" stopColor="#ff7a45" />
          <stop offset="1" stopColor="#7d2305" />
        </radialGradient>
      </defs>
      {stages.map((noise, i) => (
        <g key={noise} transform={`translate(${60 + i * 120} 60)`}>
          <circle r="40" fill="url(#ball)" opacity={(1 - noise) ** 2} />
          <ellipse cy="52" rx="34" ry="4" fill="currentColor" opacity={0.18 * (1 - noise)} />
          {noise > 0
            ? dots.map(({ x, y, dx, dy, tone }, j) => (
                <circle
                  key={j}
                  cx={x + dx * noise}
                  cy={y + dy * noise}
                  r={1.5}
                  fill={tone > 0.5 ? '#ff7a45' : 'currentColor'}
                  opacity={0.15 + 0.75 * tone * Math.sqrt(noise)}
                />
              ))
            : null}
        </g>
      ))}
    </svg>
  )
}

interface Dot {
  /** Place within the ball, and how far noise carries it away. */
  readonly x: number
  readonly y: number
  readonly dx: number
  readonly dy: number
  readonly tone: number
}

/** Evenly spread dots (golden-angle spiral) with displacements that look random and never change. */
function scatter(count: number): Dot[] {
  return Array.from({ length: count }, (_, i) => {
    const angle = i * 2.399963
    const radius = 40 * Math.sqrt((i + 0.5) / count)
    const turn = (i * 1.618034 * 7) % (2 * Math.PI)
    const far = 6 + 20 * ((i * 0.754878) % 1)
    return {
      x: radius * Math.cos(angle),
      y: radius * Math.sin(angle),
      dx: far * Math.cos(turn),
      dy: far * Math.sin(turn),
      tone: (i * 0.569841) % 1,
    }
  })
}
