import { ENLARGE_SHADER, ENLARGE_WORKGROUP } from './enlarge-shader'
import { phases } from './resample'

/** Enlarges frames of one size by a whole factor with WebGPU; the result is that of `Enlarger` to within a rounding. */
export class GpuEnlarger {
  private readonly passes: readonly { pipeline: GPUComputePipeline; bindings: GPUBindGroup; rows: number }[]
  private readonly source: GPUBuffer
  private readonly result: GPUBuffer
  private readonly readable: GPUBuffer

  /** @returns undefined where there is no adapter. */
  static async open(width: number, height: number, scale: number): Promise<GpuEnlarger | undefined> {
    const gpu = (globalThis.navigator as Navigator | undefined)?.gpu
    const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' })
    return adapter ? new GpuEnlarger(await adapter.requestDevice(), width, height, scale) : undefined
  }

  private constructor(
    private readonly device: GPUDevice,
    private readonly width: number,
    height: number,
    private readonly scale: number,
  ) {
    const taps = phases(scale)
    const pixels = width * height
    const { STORAGE, UNIFORM, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage
    const shape = this.filled(Uint32Array.of(width, height, scale, taps[0]!.length), UNIFORM)
    const weights = this.filled(Float32Array.from(taps.flatMap((row) => [...row])), STORAGE)
    this.source = device.createBuffer({ size: pixels * 4, usage: STORAGE | COPY_DST })
    const wide = device.createBuffer({ size: pixels * scale * 16, usage: STORAGE })
    this.result = device.createBuffer({ size: pixels * scale * scale * 4, usage: STORAGE | COPY_SRC })
    this.readable = device.createBuffer({ size: this.result.size, usage: MAP_READ | COPY_DST })

    const module = device.createShaderModule({ code: ENLARGE_SHADER })
    const pass = (entryPoint: string, buffers: Record<number, GPUBuffer>, rows: number) => {
      const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint } })
      const entries = Object.entries(buffers).map(([binding, buffer]) => ({
        binding: Number(binding),
        resource: { buffer },
      }))
      return {
        pipeline,
        bindings: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
        rows,
      }
    }
    this.passes = [
      pass('sideways', { 0: shape, 1: weights, 2: this.source, 3: wide }, height),
      pass('up_and_down', { 0: shape, 1: weights, 3: wide, 4: this.result }, height * scale),
    ]
  }

  /**
   * @param rgba one frame; alpha is taken to be opaque
   * @throws DOMException when the device is lost
   */
  async enlarge(rgba: Uint8ClampedArray<ArrayBuffer>): Promise<Uint8ClampedArray<ArrayBuffer>> {
    const { device, width, scale, result, readable } = this
    device.queue.writeBuffer(this.source, 0, rgba)
    const encoder = device.createCommandEncoder()
    for (const { pipeline, bindings, rows } of this.passes) {
      const pass = encoder.beginComputePass()
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, bindings)
      pass.dispatchWorkgroups(
        Math.ceil((width * scale) / ENLARGE_WORKGROUP),
        Math.ceil(rows / ENLARGE_WORKGROUP),
      )
      pass.end()
    }
    encoder.copyBufferToBuffer(result, 0, readable, 0, result.size)
    device.queue.submit([encoder.finish()])
    await readable.mapAsync(GPUMapMode.READ)
    const pixels = new Uint8ClampedArray(readable.getMappedRange().slice(0))
    readable.unmap()
    return pixels
  }

  close(): void {
    this.device.destroy()
  }

  private filled(data: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>, usage: number): GPUBuffer {
    const buffer = this.device.createBuffer({ size: data.byteLength, usage: usage | GPUBufferUsage.COPY_DST })
    this.device.queue.writeBuffer(buffer, 0, data)
    return buffer
  }
}
