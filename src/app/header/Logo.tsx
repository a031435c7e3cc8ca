/** Scattered dots (noise) that a curve (the flow) gathers into one (the picture). */
export function Logo() {
  return (
    <svg className="logo" aria-hidden="true" viewBox="0 0 32 32" width="28" height="28">
      <rect width="32" height="32" rx="9" fill="var(--accent)" />
      <g fill="var(--on-accent)">
        <circle cx="7" cy="9" r="1.3" />
        <circle cx="6" cy="16.5" r="1" />
        <circle cx="8" cy="23" r="1.5" />
        <circle cx="11.5" cy="13" r="1" />
        <circle cx="24" cy="16" r="3.2" />
      </g>
      <path
        d="M10 20.5c3.5 1.5 4-8 7.5-8.5 2-.3 2.3 2.5 3.3 4"
        fill="none"
        stroke="var(--on-accent)"
        strokeWidth="2"
        strokeLinecap="round"
      />
    </svg>
  )
}
