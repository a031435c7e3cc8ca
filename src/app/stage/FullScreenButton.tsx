import { useEffect, useState } from 'react'
import { ToggleButton } from 'react-aria-components'

import { FullScreenIcon } from '../icons'

/** The stage on the whole screen, with its controls. */
export function FullScreenButton() {
  const [full, setFull] = useState(false)
  useEffect(() => {
    const follow = (): void => setFull(document.fullscreenElement !== null)
    document.addEventListener('fullscreenchange', follow)
    return () => document.removeEventListener('fullscreenchange', follow)
  }, [])
  if (!document.fullscreenEnabled) return null
  return (
    <ToggleButton
      className="icon-button full-screen"
      aria-label="Full screen"
      isSelected={full}
      onChange={() => void toggleFullScreen()}
    >
      <FullScreenIcon />
    </ToggleButton>
  )
}

/** Where menus and dialogs go: in full screen, only what is inside the stage can be seen. */
export function overlayContainer(): HTMLElement {
  const full = document.fullscreenElement
  return full instanceof HTMLElement ? full : document.body
}

/** Enters or leaves full screen. Browsers may refuse, and then nothing changes. */
export async function toggleFullScreen(): Promise<void> {
  try {
    if (document.fullscreenElement) await document.exitFullscreen()
    else await document.querySelector('.stage')?.requestFullscreen()
  } catch {
    // Refused: not allowed in this frame, or not from a press.
  }
}
