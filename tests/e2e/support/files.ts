/** Files that people drop on the page, good and bad. */

import type { Page } from '@playwright/test'
import { ArrayBufferTarget, Muxer } from 'mp4-muxer'

/** Drops a file anywhere on the page, as from a file manager. */
export async function dropFile(page: Page, name: string, type: string, bytes: Uint8Array): Promise<void> {
  await page.evaluate(
    async ([fileName, mime, data]) => {
      // Decoded by the browser: a large file as an array of numbers would take long to arrive.
      const content = await (await fetch(`data:application/octet-stream;base64,${data}`)).blob()
      const transfer = new DataTransfer()
      transfer.items.add(new File([content], fileName, { type: mime }))
      for (const event of ['dragover', 'drop']) {
        document.body.dispatchEvent(
          new DragEvent(event, { dataTransfer: transfer, bubbles: true, cancelable: true }),
        )
      }
    },
    [name, type, Buffer.from(bytes).toString('base64')] as const,
  )
}

/** A picture of two halves as a PNG, drawn by the browser. */
export async function halvesPng(page: Page, width: number, height: number): Promise<Uint8Array> {
  const bytes = await page.evaluate(
    async ([w, h]) => {
      const canvas = new OffscreenCanvas(w, h)
      const context = canvas.getContext('2d')!
      context.fillStyle = '#e02020'
      context.fillRect(0, 0, w / 2, h)
      context.fillStyle = '#2040e0'
      context.fillRect(w / 2, 0, w / 2, h)
      return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())]
    },
    [width, height] as const,
  )
  return Uint8Array.from(bytes)
}

/** A second of silence: 8-bit PCM at 8 kHz, as a WAV file. */
export function silentWav(): Uint8Array {
  const samples = 8000
  const bytes = Buffer.alloc(44 + samples, 0x80)
  bytes.write('RIFF', 0, 'latin1')
  bytes.writeUInt32LE(36 + samples, 4)
  bytes.write('WAVEfmt ', 8, 'latin1')
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(8000, 24)
  bytes.writeUInt32LE(8000, 28)
  bytes.writeUInt16LE(1, 32)
  bytes.writeUInt16LE(8, 34)
  bytes.write('data', 36, 'latin1')
  bytes.writeUInt32LE(samples, 40)
  return bytes
}

/** An H.264 film of so many frames at 16 a second, growing brighter; encoded in the page, put together here. */
export async function film(page: Page, width: number, height: number, frames: number): Promise<Uint8Array> {
  const { chunks, description } = await page.evaluate(
    async ([w, h, count]) => {
      const base64 = (bytes: Uint8Array): string => {
        let text = ''
        for (let i = 0; i < bytes.length; i += 4096)
          text += String.fromCharCode(...bytes.subarray(i, i + 4096))
        return btoa(text)
      }
      const encoded: { type: 'key' | 'delta'; timestamp: number; data: string }[] = []
      let extra = ''
      const encoder = new VideoEncoder({
        output: (chunk, meta) => {
          const data = new Uint8Array(chunk.byteLength)
          chunk.copyTo(data)
          encoded.push({ type: chunk.type, timestamp: chunk.timestamp, data: base64(data) })
          const box = meta?.decoderConfig?.description
          if (box) extra = base64(new Uint8Array(box as ArrayBuffer))
        },
        error: (error) => console.error(error),
      })
      encoder.configure({ codec: 'avc1.640033', width: w, height: h, framerate: 16, bitrate: 4e6 })
      const canvas = new OffscreenCanvas(w, h)
      const context = canvas.getContext('2d')!
      for (let i = 0; i < count; i++) {
        context.fillStyle = `hsl(210 60% ${(100 * (i + 1)) / (count + 1)}%)`
        context.fillRect(0, 0, w, h)
        const frame = new VideoFrame(canvas, { timestamp: Math.round((i * 1e6) / 16) })
        encoder.encode(frame)
        frame.close()
      }
      await encoder.flush()
      return { chunks: encoded, description: extra }
    },
    [width, height, frames] as const,
  )
  const target = new ArrayBufferTarget()
  const muxer = new Muxer({
    target,
    video: { codec: 'avc', width, height, frameRate: 16 },
    fastStart: 'in-memory',
  })
  chunks.forEach(({ type, timestamp, data }, i) => {
    const meta =
      i === 0
        ? {
            decoderConfig: {
              codec: 'avc1.640033',
              description: Uint8Array.from(Buffer.from(description, 'base64')),
            },
          }
        : undefined
    muxer.addVideoChunkRaw(Uint8Array.from(Buffer.from(data, 'base64')), type, timestamp, 1e6 / 16, meta)
  })
  muxer.finalize()
  return new Uint8Array(target.buffer)
}
