/** What the gallery says about a full disk: what happened, and what to do. */

import { formatBytes } from './format'
import type { GalleryState } from './gallery'

/** While takes wait for room: which can be deleted, and what becomes of those that wait. */
export function waitingMessage({ takes, room, waiting }: GalleryState): string | undefined {
  const { count, dropped } = waiting
  if (count === 0) return undefined
  // Few deletions should do.
  const largest = takes.toSorted((a, b) => b.bytes - a.bytes).slice(0, 3)
  const names = largest.map(({ request, bytes }) => `${quote(request.prompt)} (${formatBytes(bytes)})`)
  const advice =
    names.length > 0
      ? `Delete takes to make room; the largest are ${names.join(', ')}.`
      : 'Delete a model you do not use under Models to make room.'
  const wait =
    count === 1
      ? 'One take waits in this tab and is kept as soon as there is room'
      : `${count} takes wait in this tab and are kept as soon as there is room`
  const lost =
    dropped.length > 0
      ? ` Too much waited for this tab's memory: ${dropped.map(quote).join(', ')} had to be given up.`
      : ''
  return `The browser's storage is full${used(room)}. ${advice} ${wait}; the one in the preview can be exported now.${lost}`
}

/** @param name of the file, if it has one */
export function importMessage({ room }: GalleryState, name: string | undefined): string {
  return (
    `The browser's storage is full${used(room)}, so ${name ?? 'the file'} was not imported. The file itself is as it was: ` +
    'delete takes, or a model under Models, then import it again.'
  )
}

/** For whatever else a full disk refuses. */
export function fullMessage({ room }: GalleryState): string {
  return `The browser's storage is full${used(room)}. Delete takes, or a model under Models, then try again.`
}

/** Nobody can bring back a take whose frames are gone. */
export function goneMessage(prompt: string): string {
  return `${quote(prompt)} cannot be brought back: it was removed for good, by another tab of this app. Make it again.`
}

function used(room: GalleryState['room']): string {
  return room ? ` (${formatBytes(room.used)} of ${formatBytes(room.quota)} used)` : ''
}

function quote(prompt: string): string {
  return `"${prompt.length > 32 ? `${prompt.slice(0, 30).trimEnd()} ...` : prompt}"`
}
