import { useEffect, useState } from 'react'

import { isTextPaste } from '../media/paste'
import { openFile } from '../store/open-file'
import type { Studio } from '../store/studio'

/**
 * Files dropped anywhere on the page, or pasted: images and clips for what takes begin with, kept takes for the gallery,
 * exports that give their settings back. A drop that nobody takes would make the browser leave the app for the file.
 * @returns true while files hang over the page
 */
export function useFileDrop(studio: Studio): boolean {
  const [dropping, setDropping] = useState(false)
  useEffect(() => {
    const over = (event: DragEvent): void => {
      // A control that takes files itself has said so.
      if (event.defaultPrevented || !event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      setDropping(true)
    }
    const leave = (event: DragEvent): void => {
      if (!event.relatedTarget) setDropping(false)
    }
    const take = (event: Event, data: DataTransfer | null): void => {
      const files = [...(data?.files ?? [])]
      if (event.defaultPrevented || files.length === 0) return
      event.preventDefault()
      void (async () => {
        for (const file of files) await openFile(studio, file)
      })()
    }
    const drop = (event: DragEvent): void => {
      setDropping(false)
      take(event, event.dataTransfer)
    }
    const paste = (event: ClipboardEvent): void => {
      const { clipboardData: data, target } = event
      // Text goes where the caret is.
      if (data && !isTextPaste(target, data)) take(event, data)
    }
    addEventListener('dragover', over)
    addEventListener('dragleave', leave)
    addEventListener('drop', drop)
    addEventListener('paste', paste)
    return () => {
      removeEventListener('dragover', over)
      removeEventListener('dragleave', leave)
      removeEventListener('drop', drop)
      removeEventListener('paste', paste)
    }
  }, [studio])
  return dropping
}
