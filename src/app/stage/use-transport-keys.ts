import { useEffect } from 'react'

import type { Studio } from '../../store/studio'
import { toggleFullScreen } from './FullScreenButton'

/** What has its own use for letters and arrows. A slider has none for letters: whoever scrubbed goes on with K. */
const TAKEN =
  'input:not([type="range"]), textarea, select, [contenteditable], [role="dialog"], [role="menu"], [role="listbox"], [role="radiogroup"], [role="tablist"], [role="toolbar"]'

/** Arrows step, Home and End jump, J K L shuttle, F is full screen, H shows the measurements. Space is the page's. */
export function useTransportKeys(studio: Studio): void {
  useEffect(() => {
    const { playback, take } = studio
    const keys: Record<string, () => unknown> = {
      ArrowLeft: () => playback.step(-1),
      ArrowRight: () => playback.step(1),
      Home: () => playback.step(-Infinity),
      End: () => playback.step(Infinity),
      j: () => playback.shuttle(-1),
      k: () => playback.pause(),
      l: () => playback.shuttle(1),
      f: () => toggleFullScreen(),
      h: () => playback.toggleHud(),
    }
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey)
        return
      if (event.target instanceof Element && event.target.closest(TAKEN)) return
      const isLetter = event.key.length === 1
      if (!isLetter && event.target instanceof HTMLInputElement) return
      const act = keys[isLetter ? event.key.toLowerCase() : event.key]
      // Without a take the arrows scroll the page.
      if (!act || !take.getState().shown) return
      event.preventDefault()
      act()
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [studio])
}
