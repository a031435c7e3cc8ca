import { readFile } from 'node:fs/promises'

import { expect, type Download, type Page } from '@playwright/test'
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny'

/** What an exported file says about itself, and its packets. */
export interface Mp4 {
  readonly mimeType: string
  readonly codec: string
  readonly width: number
  readonly height: number
  /** Seconds. */
  readonly duration: number
  readonly packets: readonly { readonly key: boolean; readonly timestamp: number; readonly data: string }[]
  readonly codecString: string
  /** Base64. */
  readonly description: string
  readonly colorSpace: VideoColorSpaceInit | undefined
}

/** Parses a downloaded file with a library that had no part in writing it. */
export async function readMp4(file: Download | Buffer): Promise<Mp4> {
  const bytes = Buffer.isBuffer(file) ? file : await readFile(await file.path())
  const input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS })
  const track = await input.getPrimaryVideoTrack()
  expect(track, 'the file has a video track').not.toBeNull()
  const config = await track!.getDecoderConfig()
  const packets = []
  for await (const packet of new EncodedPacketSink(track!).packets()) {
    packets.push({
      key: packet.type === 'key',
      timestamp: packet.timestamp,
      data: Buffer.from(packet.data).toString('base64'),
    })
  }
  return {
    mimeType: await input.getMimeType(),
    codec: (await track!.getCodec()) ?? 'unknown',
    width: await track!.getDisplayWidth(),
    height: await track!.getDisplayHeight(),
    duration: await input.computeDuration(),
    packets,
    codecString: config!.codec,
    description: config!.description ? Buffer.from(config!.description as Uint8Array).toString('base64') : '',
    colorSpace: config!.colorSpace,
  }
}

/** Decodes the file in the page and gives the RGBA of its first and last frames. */
export function decodeEnds(
  page: Page,
  mp4: Mp4,
): Promise<{ count: number; first: number[]; last: number[] }> {
  return page.evaluate(async ({ packets, codecString, description, width, height }) => {
    const bytes = (text: string): Uint8Array<ArrayBuffer> =>
      Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
    const canvas = new OffscreenCanvas(width, height)
    const context = canvas.getContext('2d', { willReadFrequently: true })!
    let count = 0
    let first: number[] = []
    let last: number[] = []
    let failure: unknown
    const decoder = new VideoDecoder({
      output: (frame) => {
        context.drawImage(frame, 0, 0)
        last = [...context.getImageData(0, 0, width, height).data]
        if (count++ === 0) first = last
        frame.close()
      },
      error: (error) => (failure = error),
    })
    decoder.configure({ codec: codecString, ...(description ? { description: bytes(description) } : {}) })
    for (const { key, timestamp, data } of packets) {
      decoder.decode(
        new EncodedVideoChunk({ type: key ? 'key' : 'delta', timestamp: timestamp * 1e6, data: bytes(data) }),
      )
    }
    await decoder.flush()
    if (failure) throw failure as Error
    return { count, first, last }
  }, mp4)
}
