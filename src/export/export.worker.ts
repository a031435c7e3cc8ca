/** Encodes and muxes off the page's thread. One worker an export; ending it cancels. */

import type { CodecCandidate } from './codecs'
import { DiskFile } from './disk'
import { GifEncoder } from './gif-encoder'
import { chooseCodecs, EncoderFailure, Mp4Encoder } from './mp4-encoder'
import { PngEncoder } from './png-encoder'
import type { ExportJob, FromExportWorker, ToExportWorker } from './protocol'
import type { FrameSink } from './sink'
import { Upscaler } from './upscaler'

declare const self: DedicatedWorkerGlobalScope

interface Running {
  readonly job: ExportJob
  readonly upscaler: Upscaler
  sink: FrameSink
  /** Requests answered so far: first the samples, then every frame. */
  answered: number
  /** Ways to encode that were not tried yet; empty for formats that have one. */
  readonly codecs: CodecCandidate[]
}

let running: Running | undefined

self.onmessage = (event: MessageEvent<ToExportWorker>) => {
  handle(event.data).catch(async (error: unknown) => {
    await running?.sink.abort().catch(() => undefined)
    post({ type: 'error', message: error instanceof Error ? error.message : String(error) })
  })
}

async function handle(message: ToExportWorker): Promise<void> {
  if (message.type === 'start') {
    running = await start(message.job)
    ask(running)
    return
  }
  if (message.type === 'abort') {
    // What fails because of it is not tried another way: that would open the file again.
    running?.codecs.splice(0)
    throw new Error('The export was cancelled.')
  }
  if (!running) throw new Error('a frame came before the start')
  try {
    await takeIn(running, message.rgba)
  } catch (error) {
    const codec = running.codecs.shift()
    if (!(error instanceof EncoderFailure) || !codec) throw error
    // From the first frame again, another way.
    await running.sink.abort()
    running.sink = await openMp4(running.job, codec)
    running.answered = 0
    ask(running)
  }
}

async function takeIn(current: Running, pixels: Uint8ClampedArray<ArrayBuffer>): Promise<void> {
  const { sink, upscaler, job } = current
  const rgba = await upscaler.enlarge(pixels)
  const index = current.answered++ - sink.samples.length
  if (index < 0) sink.look(rgba)
  else await sink.add(index, rgba)
  if (index + 1 < job.frames) {
    ask(current)
    return
  }
  const { data, bytes, codecName } = await sink.finish()
  upscaler.close()
  post({ type: 'done', data, bytes, codecName, enlargedOn: upscaler.place }, data ? [data] : [])
}

async function start(job: ExportJob): Promise<Running> {
  const { format, width, height, fps, frames, settings, gpu } = job
  const size = outputSize(job)
  const upscaler = new Upscaler(width, height, settings.scale, gpu)
  const begun = { job, upscaler, answered: 0, codecs: [] }
  if (format === 'gif') return { ...begun, sink: new GifEncoder(size.width, size.height, fps, frames) }
  if (format === 'png') return { ...begun, sink: new PngEncoder(size.width, size.height) }
  // The codec comes first: for a size that cannot be encoded no file need be opened.
  const [codec, ...codecs] = await chooseCodecs(size.width, size.height, fps, settings)
  return { ...begun, sink: await openMp4(job, codec!), codecs }
}

async function openMp4(job: ExportJob, codec: CodecCandidate): Promise<Mp4Encoder> {
  const { fps, frames, note, file } = job
  const disk = file && (await DiskFile.open(file))
  return new Mp4Encoder({ codec, ...outputSize(job), fps, frames, settings: note, disk })
}

function outputSize({ width, height, settings }: ExportJob): { width: number; height: number } {
  return { width: width * settings.scale, height: height * settings.scale }
}

function ask({ sink, job: { frames }, answered }: Running): void {
  const { samples } = sink
  const index = samples[answered] ?? answered - samples.length
  post({ type: 'ready', index, fraction: answered / (samples.length + frames) })
}

function post(message: FromExportWorker, transfer: Transferable[] = []): void {
  self.postMessage(message, transfer)
}
