import { useEffect } from 'react'

import type { Studio } from '../store/studio'

/** Ctrl/Cmd+Enter generates, Escape stops, Space plays or pauses unless a control with its own use for it has focus. */
export function useShortcuts(studio: Studio): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.isComposing) return
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault()
        void studio.generate()
      } else if (event.key === 'Escape' && !event.defaultPrevented) studio.stop()
      else if (event.key === ' ' && !event.repeat && !takesSpace(event.target)) {
        event.preventDefault()
        void studio.togglePlayback()
      }
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [studio])
}

function takesSpace(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest('input:not([type="range"]), textarea, select, button, a, [role="dialog"]') !== null
  )
}
