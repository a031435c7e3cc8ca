/** The engine's side of the port to the stage: delivers frames, and draws them on request while the device lives. */

import { heldFrames } from '../engine/held-frames'
import { serialiseError } from '../errors'
import type { EstimateEvent } from '../engine/estimate'
import type { DecodedFrames } from '../engine/take'
import type { StartedEvent } from '../engine/types'
import { GpuFrames } from '../render/gpu-frames'
import { quantiseFrame } from '../render/quantise'
import { gpuBufferOf } from '../runtime/tensors-gpu'
import type { FromStage, ToStage } from './protocol'

type Sequenced = Exclude<ToStage, { type: 'bitmap' }>
type WithoutSeq<T> = T extends unknown ? Omit<T, 'seq'> : never

export class StageLink {
  private readonly waiting = new Map<number, () => void>()
  private nextSeq = 1
  private take: StartedEvent | undefined
  private gpu: GpuFrames | undefined
  /** Counts takes that estimates can belong to; those of an earlier one come too late. */
  private estimateTurn = 0

  constructor(private readonly port: MessagePort) {
    port.onmessage = (event: MessageEvent<FromStage>) => this.receive(event.data)
  }

  /** A take starts; the old one's frames stay on the stage until the new one has frames. */
  begin(take: StartedEvent): void {
    this.take = take
  }

  /**
   * Hands decoded frames over. When it resolves, the stage has their pixels, and they survive a lost device.
   * On WebGPU the stage may draw them before that.
   */
  async add(frames: DecodedFrames): Promise<void> {
    if (!this.take) throw new Error('frames before a take began')
    const { width, height, fps } = this.take
    const { device } = frames.runtime
    const starts = frames.first === 0
    const hold = heldFrames(this.take.request, this.take)
    if (starts) {
      await this.send({ type: 'begin', width, height, fps, hold })
      this.gpu?.dispose()
      this.gpu = device ? this.openGpu(device, width, height) : undefined
    }
    let pixels: Uint8ClampedArray<ArrayBuffer>[]
    if (this.gpu) {
      const rows = frames.tensor.dims[0]!
      this.gpu.pack(gpuBufferOf(frames.tensor), rows, frames.offset, frames.count, frames.first)
      const drawable = this.send({ type: 'drawable', count: frames.first + frames.count })
      pixels = await Promise.race([this.gpu.readNewest(), lossOf(device)])
      await drawable
    } else {
      const data = await frames.runtime.tensors.read(frames.tensor)
      pixels = Array.from({ length: frames.count }, (_, i) =>
        quantiseFrame(data, frames.offset + i, width, height),
      )
    }
    const buffers = pixels.map((rgba) => rgba.buffer)
    await this.send({ type: 'pixels', first: frames.first, frames: pixels }, buffers)
    this.gpu?.dropBefore(frames.first + frames.count - hold)
  }

  /** Takes frames back: those from number `first` on. */
  async truncate(first: number): Promise<void> {
    this.gpu?.dropFrom(first)
    await this.send({ type: 'truncate', count: first })
  }

  /** Lets a live take go on that waits for its frames to be seen. */
  async letGo(): Promise<void> {
    await this.send({ type: 'let-go' })
  }

  /** Shows what the chunk under way looks like so far. Nothing waits for it: passes go on while it is painted. */
  estimate({ first, count, pictures }: EstimateEvent): void {
    const { take, estimateTurn } = this
    if (!take) return
    const { width, height, fps } = take
    void pictures.then((painted) => {
      if (!painted || estimateTurn !== this.estimateTurn) return
      const buffers = painted.frames.map((rgba) => rgba.buffer)
      void this.send(
        { type: 'estimate', first, count, pictures: painted, video: { width, height, fps } },
        buffers,
      )
    })
  }

  /** No chunk is under way any more. */
  endEstimates(): void {
    this.estimateTurn++
    void this.send({ type: 'estimate-over' })
  }

  /** The take is over, or is to end: a stage that holds it back lets go. */
  async finish(): Promise<void> {
    if (this.take?.request.endless) await this.send({ type: 'finish' })
  }

  private openGpu(device: GPUDevice, width: number, height: number): GpuFrames {
    const gpu = new GpuFrames(device, width, height)
    void device.lost.then(() => {
      if (this.gpu !== gpu) return
      this.gpu = undefined
      void this.send({ type: 'device-gone' })
    })
    return gpu
  }

  /** Resolves when the stage has dealt with the message. */
  private send(message: WithoutSeq<Sequenced>, transfer: Transferable[] = []): Promise<void> {
    const seq = this.nextSeq++
    return new Promise((resolve) => {
      this.waiting.set(seq, resolve)
      this.port.postMessage({ ...message, seq }, transfer)
    })
  }

  private receive(message: FromStage): void {
    if (message.type === 'done') {
      this.waiting.get(message.seq)?.()
      this.waiting.delete(message.seq)
      return
    }
    const { request, index, width, height } = message
    let bitmap: ImageBitmap | undefined
    try {
      bitmap = this.gpu?.draw(index, width, height)
    } catch (error) {
      // The stage then draws from pixels.
      console.warn(`Drawing frame ${index} on the GPU failed: ${serialiseError(error).message}`)
    }
    this.port.postMessage({ type: 'bitmap', request, bitmap } satisfies ToStage, bitmap ? [bitmap] : [])
  }
}

/** Rejects when the device is lost, as a map of a lost device's buffer may never settle. */
async function lossOf(device: GPUDevice | undefined): Promise<never> {
  const info = await device?.lost
  throw new Error(`the graphics device was lost: ${info?.message ?? ''}`)
}
