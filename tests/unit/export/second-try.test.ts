/** The worker that encodes, with an H.264 encoder that says it supports the size and then fails, as OpenH264 does on noise. */

import { expect, it, vi } from 'vitest'

import type { FromExportWorker, ToExportWorker } from '../../../src/export/protocol'
import { DEFAULT_SETTINGS, type CodecChoice } from '../../../src/export/settings'

const tried: string[] = []

class FakeChunk {
  readonly duration = 62_500
  readonly byteLength = 4
  copyTo(): void {
    // Four zeros.
  }
}

class FakeEncoder extends EventTarget {
  static isConfigSupported = () => Promise.resolve({ supported: true })
  /** Called while frames are flushed, which then fails when the encoder is closed. */
  static onFlush: (() => void) | undefined
  encodeQueueSize = 0
  state = 'unconfigured'
  private codec = ''
  private giveUp: (() => void) | undefined

  constructor(private readonly callbacks: VideoEncoderInit) {
    super()
  }

  configure({ codec, bitrate }: VideoEncoderConfig): void {
    this.codec = codec
    this.state = 'configured'
    tried.push(`${codec} ${bitrate}`)
  }

  encode(frame: { timestamp: number }, { keyFrame }: { keyFrame: boolean }): void {
    if (this.codec.startsWith('avc1') && frame.timestamp > 0) {
      this.state = 'closed'
      this.callbacks.error(new DOMException('Encoding error.'))
      return
    }
    const { timestamp } = frame
    const type = keyFrame ? 'key' : 'delta'
    const chunk = Object.assign(new FakeChunk(), { type, timestamp })
    const decoderConfig = {
      codec: this.codec,
      codedWidth: 64,
      codedHeight: 64,
      description: new Uint8Array(8),
    }
    this.callbacks.output(chunk as EncodedVideoChunk, { decoderConfig })
  }

  flush(): Promise<void> {
    if (FakeEncoder.onFlush) {
      FakeEncoder.onFlush()
      return new Promise((_resolve, reject) => (this.giveUp = () => reject(new Error('closed'))))
    }
    return this.state === 'closed' ? Promise.reject(new Error('closed')) : Promise.resolve()
  }

  close(): void {
    this.state = 'closed'
    this.giveUp?.()
  }
}

class FakeFrame {
  readonly timestamp: number
  constructor(_data: unknown, { timestamp }: { timestamp: number }) {
    this.timestamp = timestamp
  }
  close(): void {
    // Nothing is held.
  }
}

/**
 * Runs an export of four frames.
 * @param cancel while the last frames are flushed
 * @returns the worker's last message, and which frames it asked for
 */
async function exported(
  codec: CodecChoice,
  cancel = false,
): Promise<{ last: FromExportWorker; asked: number[] }> {
  vi.resetModules()
  tried.length = 0
  const asked: number[] = []
  return new Promise((resolve) => {
    const worker: { onmessage?: (event: { data: ToExportWorker }) => void; postMessage: unknown } = {
      postMessage: (message: FromExportWorker) => {
        if (message.type !== 'ready') {
          resolve({ last: message, asked })
          return
        }
        asked.push(message.index)
        const rgba = new Uint8ClampedArray(64 * 64 * 4)
        queueMicrotask(() => worker.onmessage!({ data: { type: 'frame', rgba } }))
      },
    }
    FakeEncoder.onFlush = cancel
      ? () => queueMicrotask(() => worker.onmessage!({ data: { type: 'abort' } }))
      : undefined
    vi.stubGlobal('self', worker)
    vi.stubGlobal('VideoEncoder', FakeEncoder)
    vi.stubGlobal('VideoFrame', FakeFrame)
    vi.stubGlobal('EncodedVideoChunk', FakeChunk)
    const settings = { ...DEFAULT_SETTINGS, codec }
    const job = { format: 'mp4', width: 64, height: 64, fps: 16, frames: 4, settings } as const
    void import('../../../src/export/export.worker').then(() =>
      worker.onmessage!({
        data: { type: 'start', job: { ...job, note: undefined, file: undefined, gpu: false } },
      }),
    )
  })
}

it('tries fewer bits, then VP9, each from the first frame', async () => {
  const { last, asked } = await exported('auto')
  expect(last).toMatchObject({ type: 'done', codecName: 'VP9' })
  expect(asked).toEqual([0, 1, 0, 1, 0, 1, 2, 3])
  expect(tried).toEqual(['avc1.64001e 196608', 'avc1.64001e 49152', 'vp09.00.40.08 196608'])
})

it('names the codec that was chosen by hand and fails', async () => {
  const { last } = await exported('avc')
  expect(last).toMatchObject({
    type: 'error',
    message: expect.stringMatching(/H\.264.*Encoding error.*another codec/) as string,
  })
  expect(tried).toHaveLength(2)
})

it('tries no other way when it is cancelled: the file is not opened again', async () => {
  const { last, asked } = await exported('vp9', true)
  expect(last).toMatchObject({ type: 'error', message: expect.stringMatching(/cancelled/) as string })
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect(asked).toEqual([0, 1, 2, 3])
  expect(tried).toHaveLength(1)
})
