import type { ReactNode } from 'react'

/** Icons are decoration: the control that holds one carries the name. */
function Icon({ children, size = 18 }: { children: ReactNode; size?: number | undefined }) {
  return (
    <svg
      aria-hidden="true"
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {children}
    </svg>
  )
}

interface IconProps {
  size?: number
}

export const PlayIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path
      d="M8 5.2v13.6a.6.6 0 0 0 .92.5l10.6-6.8a.6.6 0 0 0 0-1L8.92 4.7A.6.6 0 0 0 8 5.2Z"
      fill="currentColor"
      stroke="none"
    />
  </Icon>
)
export const PauseIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M7.5 5h2.6v14H7.5zM13.9 5h2.6v14h-2.6z" fill="currentColor" stroke="none" />
  </Icon>
)
export const StopIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <rect x="6.5" y="6.5" width="11" height="11" rx="1.8" fill="currentColor" stroke="none" />
  </Icon>
)
export const SparkIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M3 15c3 0 3.4-7 6.4-7s2.8 8 5.8 8S18.4 9 21 9" />
  </Icon>
)
export const DownloadIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M12 4v11m0 0 4.2-4.2M12 15l-4.2-4.2M5 19.5h14" />
  </Icon>
)
export const DiceIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <rect x="4" y="4" width="16" height="16" rx="4" />
    <g fill="currentColor" stroke="none">
      <circle cx="8.7" cy="8.7" r="1.3" />
      <circle cx="15.3" cy="8.7" r="1.3" />
      <circle cx="12" cy="12" r="1.3" />
      <circle cx="8.7" cy="15.3" r="1.3" />
      <circle cx="15.3" cy="15.3" r="1.3" />
    </g>
  </Icon>
)
export const LockIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <rect x="5" y="10.5" width="14" height="9.5" rx="2.5" />
    <path d="M8 10.5V8a4 4 0 0 1 8 0v2.5" />
  </Icon>
)
export const UnlockIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <rect x="5" y="10.5" width="14" height="9.5" rx="2.5" />
    <path d="M8 10.5V7.5a4 4 0 0 1 7.7-1.5" />
  </Icon>
)
export const SunIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4" />
  </Icon>
)
export const MoonIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M20 14.5A8.3 8.3 0 0 1 9.5 4a8.3 8.3 0 1 0 10.5 10.5Z" />
  </Icon>
)
export const ChipIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <rect x="6.5" y="6.5" width="11" height="11" rx="2" />
    <path d="M10 3.5v3M14 3.5v3M10 17.5v3M14 17.5v3M3.5 10h3M3.5 14h3M17.5 10h3M17.5 14h3" />
  </Icon>
)
export const CubeIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M12 3 4.5 7.2v9.6L12 21l7.5-4.2V7.2L12 3ZM4.5 7.2 12 11.5l7.5-4.3M12 11.5V21" />
  </Icon>
)
export const AlertIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M12 8.5v4.5m0 3.2v.1M10.6 4.3 3.2 17.2a1.6 1.6 0 0 0 1.4 2.4h14.8a1.6 1.6 0 0 0 1.4-2.4L13.4 4.3a1.6 1.6 0 0 0-2.8 0Z" />
  </Icon>
)
export const CloseIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="m6.5 6.5 11 11m0-11-11 11" />
  </Icon>
)
export const MoreIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <g fill="currentColor" stroke="none">
      <circle cx="5.5" cy="12" r="1.7" />
      <circle cx="12" cy="12" r="1.7" />
      <circle cx="18.5" cy="12" r="1.7" />
    </g>
  </Icon>
)
export const ImportIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M12 15V4m0 0L7.8 8.2M12 4l4.2 4.2M5 19.5h14" />
  </Icon>
)
export const CompareIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <rect x="3.5" y="5.5" width="7" height="13" rx="2" />
    <rect x="13.5" y="5.5" width="7" height="13" rx="2" />
  </Icon>
)
export const ImageIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <rect x="4" y="5" width="16" height="14" rx="2.5" />
    <circle cx="9" cy="10" r="1.6" />
    <path d="m5 17.5 4.8-4.3 3 2.6 3.4-3.4 3.8 3.6" />
  </Icon>
)
export const CameraIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M8.4 7 9.6 5h4.8l1.2 2H18a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2h2.4Z" />
    <circle cx="12" cy="12.8" r="3.2" />
  </Icon>
)
export const FilmIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <rect x="4" y="5" width="16" height="14" rx="2.5" />
    <path d="M8.5 5v14M15.5 5v14M4 9.7h4.5M4 14.3h4.5M15.5 9.7H20M15.5 14.3H20" />
  </Icon>
)
export const GridIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <rect x="4" y="4" width="6.5" height="6.5" rx="1.5" />
    <rect x="13.5" y="4" width="6.5" height="6.5" rx="1.5" />
    <rect x="4" y="13.5" width="6.5" height="6.5" rx="1.5" />
    <rect x="13.5" y="13.5" width="6.5" height="6.5" rx="1.5" />
  </Icon>
)
export const LoopIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M4.5 11V9.5a3 3 0 0 1 3-3h11M15.5 3.5l3 3-3 3M19.5 13v1.5a3 3 0 0 1-3 3h-11M8.5 20.5l-3-3 3-3" />
  </Icon>
)
export const StepBackIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M16.5 6v12l-8-6 8-6Z" fill="currentColor" />
    <path d="M6 6v12" />
  </Icon>
)
export const StepForwardIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M7.5 6v12l8-6-8-6Z" fill="currentColor" />
    <path d="M18 6v12" />
  </Icon>
)
export const FullScreenIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M4.5 9V4.5H9M15 4.5h4.5V9M19.5 15v4.5H15M9 19.5H4.5V15" />
  </Icon>
)
export const GaugeIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M4.5 17a8.5 8.5 0 1 1 15 0M12 14l3.5-5" />
  </Icon>
)
export const InfoIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M12 11v5M12 7.9v.1" />
  </Icon>
)
export const SlidersIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M4 7.5h9M17 7.5h3M4 16.5h3M11 16.5h9" />
    <circle cx="15" cy="7.5" r="2" />
    <circle cx="9" cy="16.5" r="2" />
  </Icon>
)
export const RedoIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M19 12a7 7 0 1 1-2.2-5.1" />
    <path d="M19.5 3.5v4h-4" />
  </Icon>
)
