import { ArrayBufferTarget, Muxer, StreamTarget } from 'mp4-muxer'

import { codecCandidates, type CodecCandidate } from './codecs'
import type { DiskFile } from './disk'
import { ExportError } from './exporter'
import { EXPORT_COLOR_SPACE, rgbaToI420 } from './i420'
import { settingsBox } from './metadata'
import type { VideoSettings } from './settings'
import type { FrameSink, SinkResult } from './sink'

/** Frames the encoder may hold before the next one is asked for. */
const MAX_QUEUE = 4

/** The share of the bitrate that is tried after the encoder failed. */
const SECOND_TRY = 0.25

/** The encoder gave up on these frames; another codec, or a lower bitrate, may not. */
export class EncoderFailure extends ExportError {}

/**
 * What can be encoded here, best first. OpenH264 says that it supports a size and then fails on noisy frames at a high
 * bitrate, so each codec comes twice, the second time with fewer bits.
 * @throws ExportError when no candidate can be encoded here
 */
export async function chooseCodecs(
  width: number,
  height: number,
  fps: number,
  { codec, quality }: Pick<VideoSettings, 'codec' | 'quality'>,
): Promise<CodecCandidate[]> {
  if (typeof VideoEncoder === 'undefined') {
    throw new ExportError(
      'This browser has no video encoder (WebCodecs). Open the page in a current Chrome or Edge.',
    )
  }
  const found: CodecCandidate[] = []
  for (const candidate of codecCandidates(width, height, fps, codec, quality)) {
    const { config, muxer } = candidate
    if (found.some((other) => other.muxer === muxer)) continue
    if (!(await VideoEncoder.isConfigSupported(config)).supported) continue
    const bitrate = Math.round((config.bitrate ?? 0) * SECOND_TRY)
    found.push(candidate, { ...candidate, config: { ...config, bitrate } })
  }
  if (found.length > 0) return found
  const names = { auto: 'neither H.264 nor VP9', avc: 'no H.264', vp9: 'no VP9', av1: 'no AV1' }
  throw new ExportError(
    `This browser can encode ${names[codec]} at ${width} x ${height}. ` +
      'Choose another codec or a smaller scale, or open the page in a current Chrome or Edge.',
  )
}

export interface Mp4Options {
  readonly codec: CodecCandidate
  readonly width: number
  readonly height: number
  /** Frames a second, an integer. */
  readonly fps: number
  /** Frames that will come. */
  readonly frames: number
  /** Text for the settings box; none without. */
  readonly settings: string | undefined
  /** Where the file grows; in memory without. */
  readonly disk: DiskFile | undefined
}

/** Encodes RGBA frames to an MP4, in memory or on disk. Feed frames in order with `add`, then `finish` once. */
export class Mp4Encoder implements FrameSink {
  readonly samples: readonly number[] = []
  private readonly muxer: Muxer<ArrayBufferTarget | StreamTarget>
  private readonly encoder: VideoEncoder
  private failure: Error | undefined
  private onFailure: ((value: unknown) => void) | undefined

  constructor(private readonly options: Mp4Options) {
    const { codec, width, height, fps, frames, disk } = options
    const target = disk
      ? new StreamTarget({
          onData: (data, position) => disk.write(data as Uint8Array<ArrayBuffer>, position),
          chunked: true,
          chunkSize: 2 ** 20,
        })
      : new ArrayBufferTarget()
    this.muxer = new Muxer<ArrayBufferTarget | StreamTarget>({
      target,
      // Either way the index comes first, so that the file plays while it downloads. On disk its room is set aside.
      fastStart: disk ? { expectedVideoChunks: frames } : 'in-memory',
      video: { codec: codec.muxer, width, height, frameRate: fps },
    })
    this.encoder = new VideoEncoder({
      output: (chunk, meta) => this.muxer.addVideoChunk(chunk, tagged(meta)),
      error: (error) => {
        this.failure = error
        this.onFailure?.(undefined)
      },
    })
    this.encoder.configure(codec.config)
  }

  look(): void {
    // Nothing to learn.
  }

  /**
   * Hands one frame to the encoder; resolves when it can take another.
   * @throws EncoderFailure when encoding has failed
   */
  async add(index: number, rgba: Uint8ClampedArray): Promise<void> {
    this.check()
    const { width, height, fps, disk } = this.options
    // Whole microseconds, as WebCodecs counts; each ends where the next starts.
    const timestamp = Math.round((index * 1e6) / fps)
    const duration = Math.round(((index + 1) * 1e6) / fps) - timestamp
    const frame = new VideoFrame(rgbaToI420(rgba, width, height), {
      format: 'I420',
      codedWidth: width,
      codedHeight: height,
      timestamp,
      duration,
      colorSpace: EXPORT_COLOR_SPACE,
    })
    // A key frame every two seconds, so that players can seek.
    this.encoder.encode(frame, { keyFrame: index % (2 * fps) === 0 })
    frame.close()
    while (this.failure === undefined && this.encoder.encodeQueueSize >= MAX_QUEUE) {
      await new Promise((resolve) => {
        this.encoder.addEventListener('dequeue', resolve, { once: true })
        this.onFailure = resolve
      })
    }
    // A slow disk must not fill the memory.
    await disk?.settle()
    this.check()
  }

  async finish(): Promise<SinkResult> {
    const { codec, settings, disk } = this.options
    // A failed encoder rejects this with nothing to say; `check` knows why.
    await this.encoder.flush().catch((error: unknown) => {
      this.failure ??= error instanceof Error ? error : new Error(String(error))
    })
    this.check()
    this.encoder.close()
    this.muxer.finalize()
    const box = settings === undefined ? new Uint8Array() : settingsBox(settings)
    const { target } = this.muxer
    if (target instanceof ArrayBufferTarget) {
      const data = new Uint8Array(target.buffer.byteLength + box.length)
      data.set(new Uint8Array(target.buffer))
      data.set(box, target.buffer.byteLength)
      return { data: data.buffer, bytes: data.length, codecName: codec.name }
    }
    if (!disk) throw new Error('a stream without a file')
    disk.write(box, disk.size)
    await disk.close()
    return { data: undefined, bytes: disk.size, codecName: codec.name }
  }

  async abort(): Promise<void> {
    if (this.encoder.state !== 'closed') this.encoder.close()
    await this.options.disk?.abort()
  }

  private check(): void {
    if (this.failure) {
      throw new EncoderFailure(
        `The ${this.options.codec.name} encoder failed: ${this.failure.message}. Choose another codec in Export options.`,
      )
    }
  }
}

/** Encoders often leave the colour space out; the file must name the one that the pixels were converted to. */
function tagged(meta: EncodedVideoChunkMetadata | undefined): EncodedVideoChunkMetadata | undefined {
  if (!meta?.decoderConfig) return meta
  return { ...meta, decoderConfig: { ...meta.decoderConfig, colorSpace: EXPORT_COLOR_SPACE } }
}
