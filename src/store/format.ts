/** `12.3 MB`: decimal units, as browsers' download lists use. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(0)} kB`
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`
  return `${(bytes / 1e9).toFixed(2)} GB`
}

/** `84 ms`, `1.32 s`, `12.4 s`, `2 min 05 s`. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1000) return `${ms.toFixed(0)} ms`
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}

/** Length of a clip for people: `2.1 s`. */
export function formatClipLength(frames: number, fps: number): string {
  return `${(frames / fps).toFixed(1)} s`
}

/** Position within a clip: `0:01.5`. */
export function formatTimecode(frame: number, fps: number): string {
  const seconds = Math.max(0, frame) / fps
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, '0')}`
}

/** File name for a take: the prompt's words, the seed and the steps. */
export function takeFileName(
  request: { prompt: string; seed: number; steps: number },
  extension: string,
): string {
  const words = request.prompt
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60)
    .replace(/-+$/, '')
  return `${words || 'take'}-seed${request.seed}-${request.steps}steps.${extension}`
}
