import type { CodecChoice, Quality } from './settings'

/** One way to encode a video, best first. */
export interface CodecCandidate {
  readonly name: string
  /** mp4-muxer's name. */
  readonly muxer: 'avc' | 'vp9' | 'av1'
  readonly config: VideoEncoderConfig
}

/** H.264 levels (ITU-T H.264 table A-1): level x 10, macroblocks a frame, macroblocks a second. */
const avcLevels: readonly (readonly [level: number, frameSize: number, rate: number])[] = [
  [30, 1620, 40_500],
  [31, 3600, 108_000],
  [40, 8192, 245_760],
  [50, 22_080, 589_824],
  [51, 36_864, 983_040],
  [52, 36_864, 2_073_600],
]

/** Lowest of the listed levels that holds the size and rate. Below level 3 there is nothing to gain: everything plays it. */
export function avcLevel(width: number, height: number, fps: number): number | undefined {
  const macroblocks = Math.ceil(width / 16) * Math.ceil(height / 16)
  return avcLevels.find(([, size, rate]) => macroblocks <= size && macroblocks * fps <= rate)?.[0]
}

/** VP9 levels (the VP9 levels draft): level x 10, luma samples a frame, luma samples a second. */
const vp9Levels: readonly (readonly [level: number, frameSize: number, rate: number])[] = [
  [40, 2_228_224, 83_558_400],
  [50, 8_912_896, 311_951_360],
  [51, 8_912_896, 588_251_136],
  [60, 35_651_584, 1_176_502_272],
]

/** AV1 levels (AV1 specification, annex A.3): index, luma samples a frame, luma samples a second. */
const av1Levels: readonly (readonly [level: number, frameSize: number, rate: number])[] = [
  [8, 2_359_296, 77_856_768],
  [12, 8_912_896, 273_715_200],
  [13, 8_912_896, 547_430_400],
  [16, 35_651_584, 1_069_547_520],
]

type Levels = typeof vp9Levels

function lumaLevel(levels: Levels, width: number, height: number, fps: number): number | undefined {
  const area = width * height
  return levels.find(([, size, rate]) => area <= size && area * fps <= rate)?.[0]
}

/** Bits a pixel. Rendered clips are smooth: half a bit shows no blocks, a fifth does in motion. */
const bitsPerPixel: Record<Quality, number> = { small: 0.2, normal: 0.5, high: 1.2 }

/** The least for a small clip, in multiples of the above: below it, blocks show. */
const LEAST_PIXELS_A_SECOND = 5_000_000

/** But no more than this many times the share: more is wasted, and OpenH264 fails on it where the picture is noisy. */
const MOST_TIMES = 6

/** Bits a second, and never so few that a small clip shows blocks. */
export function videoBitrate(
  width: number,
  height: number,
  fps: number,
  quality: Quality = 'normal',
): number {
  const rate = width * height * fps
  return Math.round(
    bitsPerPixel[quality] * Math.max(rate, Math.min(LEAST_PIXELS_A_SECOND, MOST_TIMES * rate)),
  )
}

/**
 * H.264 first, because it plays everywhere, High profile before Main and Baseline; then VP9. H.264 in 4:2:0 needs even
 * dimensions, so an odd size has VP9 alone. A codec that was chosen by hand is the only one.
 */
export function codecCandidates(
  width: number,
  height: number,
  fps: number,
  choice: CodecChoice = 'auto',
  quality: Quality = 'normal',
): CodecCandidate[] {
  const common = {
    width,
    height,
    framerate: fps,
    bitrate: videoBitrate(width, height, fps, quality),
    bitrateMode: 'variable',
    latencyMode: 'quality',
  } as const
  const candidates: CodecCandidate[] = []
  const level = avcLevel(width, height, fps)
  if (choice !== 'vp9' && choice !== 'av1' && level !== undefined && width % 2 === 0 && height % 2 === 0) {
    const hex = level.toString(16).padStart(2, '0')
    for (const profile of ['6400', '4d00', '42e0']) {
      const config: VideoEncoderConfig = { ...common, codec: `avc1.${profile}${hex}`, avc: { format: 'avc' } }
      candidates.push({ name: 'H.264', muxer: 'avc', config })
    }
  }
  const vp9 = lumaLevel(vp9Levels, width, height, fps)
  if ((choice === 'auto' || choice === 'vp9') && vp9 !== undefined) {
    candidates.push({ name: 'VP9', muxer: 'vp9', config: { ...common, codec: `vp09.00.${vp9}.08` } })
  }
  const av1 = lumaLevel(av1Levels, width, height, fps)
  if (choice === 'av1' && av1 !== undefined) {
    const codec = `av01.0.${String(av1).padStart(2, '0')}M.08`
    candidates.push({ name: 'AV1', muxer: 'av1', config: { ...common, codec } })
  }
  return candidates
}

/** The codecs that this browser can encode at a size, best first; empty without WebCodecs. */
export async function availableCodecs(
  width: number,
  height: number,
  fps: number,
): Promise<Exclude<CodecChoice, 'auto'>[]> {
  if (typeof VideoEncoder === 'undefined') return []
  const found: Exclude<CodecChoice, 'auto'>[] = []
  for (const choice of ['avc', 'vp9', 'av1'] as const) {
    for (const { config } of codecCandidates(width, height, fps, choice)) {
      if ((await VideoEncoder.isConfigSupported(config)).supported) {
        found.push(choice)
        break
      }
    }
  }
  return found
}
