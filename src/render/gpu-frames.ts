/**
 * Decoded frames on the GPU: packed from ORT's output buffer by WGSL, drawn from there without a read-back. A copy
 * for the CPU is read back on the side, so that frames outlive the device and can be exported.
 */

import { DRAW_SHADER, PACK_SHADER, PACK_WORKGROUP } from './shaders'

const PIXEL_BYTES = 4

/** Packed frames `first .. first + count - 1`. */
interface Batch {
  readonly first: number
  readonly count: number
  readonly buffer: GPUBuffer
}

/** The frames of one take on one device. */
export class GpuFrames {
  private readonly batches: Batch[] = []
  private readonly packPipeline: GPUComputePipeline
  private readonly drawPipeline: GPURenderPipeline
  private readonly viewUniform: GPUBuffer
  private readonly canvas: OffscreenCanvas
  private readonly context: GPUCanvasContext

  constructor(
    private readonly device: GPUDevice,
    private readonly width: number,
    private readonly height: number,
  ) {
    const packModule = device.createShaderModule({ code: PACK_SHADER })
    this.packPipeline = device.createComputePipeline({ layout: 'auto', compute: { module: packModule } })
    const drawModule = device.createShaderModule({ code: DRAW_SHADER })
    const format = navigator.gpu.getPreferredCanvasFormat()
    this.drawPipeline = device.createRenderPipeline({
      layout: 'auto',
      vertex: { module: drawModule },
      fragment: { module: drawModule, targets: [{ format }] },
    })
    this.viewUniform = device.createBuffer({
      size: 32,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    })
    this.canvas = new OffscreenCanvas(width, height)
    const context = this.canvas.getContext('webgpu')
    if (!context) throw new Error('the browser gave no WebGPU canvas context')
    context.configure({ device, format, alphaMode: 'opaque' })
    this.context = context
  }

  /**
   * Packs rows `offset .. offset + count - 1` of ORT's buffer as the frames from `first` on.
   * @param planes holds `[rows, 3, H, W]` float32; it may be larger, and may be freed right after.
   */
  pack(planes: GPUBuffer, rows: number, offset: number, count: number, first: number): void {
    const area = this.width * this.height
    const buffer = this.device.createBuffer({
      size: count * area * PIXEL_BYTES,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
    })
    const shape = this.device.createBuffer({
      size: 16,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    })
    this.device.queue.writeBuffer(shape, 0, Uint32Array.of(area, offset, count, 0))
    const bindings = this.device.createBindGroup({
      layout: this.packPipeline.getBindGroupLayout(0),
      entries: [
        // ORT rounds sizes up and reuses buffers: bind what is ours.
        { binding: 0, resource: { buffer: planes, size: rows * 3 * area * 4 } },
        { binding: 1, resource: { buffer } },
        { binding: 2, resource: { buffer: shape } },
      ],
    })
    const encoder = this.device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(this.packPipeline)
    pass.setBindGroup(0, bindings)
    pass.dispatchWorkgroups(Math.ceil((count * area) / PACK_WORKGROUP))
    pass.end()
    this.device.queue.submit([encoder.finish()])
    shape.destroy()
    this.batches.push({ first, count, buffer })
  }

  /** The newest batch's frames as RGBA bytes in CPU memory. */
  async readNewest(): Promise<Uint8ClampedArray<ArrayBuffer>[]> {
    const batch = this.batches.at(-1)
    if (!batch) return []
    const frameBytes = this.width * this.height * PIXEL_BYTES
    const staging = this.device.createBuffer({
      size: batch.count * frameBytes,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    })
    try {
      const encoder = this.device.createCommandEncoder()
      encoder.copyBufferToBuffer(batch.buffer, 0, staging, 0, batch.count * frameBytes)
      this.device.queue.submit([encoder.finish()])
      await staging.mapAsync(GPUMapMode.READ)
      const mapped = staging.getMappedRange()
      return Array.from(
        { length: batch.count },
        (_, i) => new Uint8ClampedArray(mapped.slice(i * frameBytes, (i + 1) * frameBytes)),
      )
    } finally {
      staging.destroy()
    }
  }

  /** Frees frames before the one of that number. */
  dropBefore(frame: number): void {
    for (let batch = this.batches[0]; batch && batch.first + batch.count <= frame; batch = this.batches[0]) {
      batch.buffer.destroy()
      this.batches.shift()
    }
  }

  /** Frees frames from the one of that number on. */
  dropFrom(frame: number): void {
    for (let batch = this.batches.at(-1); batch && batch.first >= frame; batch = this.batches.at(-1)) {
      batch.buffer.destroy()
      this.batches.pop()
    }
  }

  /** A frame scaled to a size, as a bitmap that stays on the GPU; undefined when there is no such frame. */
  draw(index: number, width: number, height: number): ImageBitmap | undefined {
    const batch = this.batches.find(({ first, count }) => index >= first && index < first + count)
    if (!batch) return undefined
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width
      this.canvas.height = height
    }
    const first = (index - batch.first) * this.width * this.height
    const view = Uint32Array.of(this.width, this.height, width, height, first, 0, 0, 0)
    this.device.queue.writeBuffer(this.viewUniform, 0, view)
    const bindings = this.device.createBindGroup({
      layout: this.drawPipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer: batch.buffer } },
        { binding: 1, resource: { buffer: this.viewUniform } },
      ],
    })
    const encoder = this.device.createCommandEncoder()
    const pass = encoder.beginRenderPass({
      colorAttachments: [
        { view: this.context.getCurrentTexture().createView(), loadOp: 'clear', storeOp: 'store' },
      ],
    })
    pass.setPipeline(this.drawPipeline)
    pass.setBindGroup(0, bindings)
    pass.draw(3)
    pass.end()
    this.device.queue.submit([encoder.finish()])
    return this.canvas.transferToImageBitmap()
  }

  /** Frees the frames; the object must not be used after. */
  dispose(): void {
    for (const { buffer } of this.batches) buffer.destroy()
    this.batches.length = 0
    this.viewUniform.destroy()
    this.context.unconfigure()
  }
}
