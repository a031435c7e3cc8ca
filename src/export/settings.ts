/** What the user may choose about an exported file. */

/** `auto`: H.264 where it can be encoded, because it plays everywhere, else the next one that can. */
export type CodecChoice = 'auto' | 'avc' | 'vp9' | 'av1'
export type Quality = 'small' | 'normal' | 'high'
/** Times the video's own size. */
export type Scale = 1 | 2 | 4

export interface VideoSettings {
  readonly codec: CodecChoice
  readonly quality: Quality
  readonly scale: Scale
}

export interface ExportSettings extends VideoSettings {
  /** How often the clip runs in an MP4, at least once. GIFs repeat by themselves. */
  readonly loops: number
}

export const DEFAULT_SETTINGS: ExportSettings = { codec: 'auto', quality: 'normal', scale: 1, loops: 1 }

/** Most loops that are offered. */
export const MAX_LOOPS = 20

const codecs: readonly CodecChoice[] = ['auto', 'avc', 'vp9', 'av1']
const qualities: readonly Quality[] = ['small', 'normal', 'high']
const scales: readonly Scale[] = [1, 2, 4]

/** Settings out of anything that was stored; what is not usable is replaced by its default. */
export function parseSettings(json: unknown): ExportSettings {
  const stored = typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {}
  const { loops } = stored
  return {
    codec: codecs.find((name) => name === stored['codec']) ?? DEFAULT_SETTINGS.codec,
    quality: qualities.find((name) => name === stored['quality']) ?? DEFAULT_SETTINGS.quality,
    scale: scales.find((scale) => scale === stored['scale']) ?? DEFAULT_SETTINGS.scale,
    loops:
      typeof loops === 'number' && Number.isInteger(loops) && loops >= 1 && loops <= MAX_LOOPS
        ? loops
        : DEFAULT_SETTINGS.loops,
  }
}
