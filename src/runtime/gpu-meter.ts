/**
 * Counts what a WebGPU device holds. WebGPU itself tells nobody: so the calls that make and destroy buffers and textures are
 * counted, those of ORT, which shares the device, among them.
 */

/** Bytes of a texel, of the formats that are used here. */
const TEXEL: Partial<Record<GPUTextureFormat, number>> = { rgba8unorm: 4, bgra8unorm: 4, rgba16float: 8 }

type Destroyable = Pick<GPUBuffer, 'destroy'>

export class GpuMeter {
  private held = 0
  // What is dropped without `destroy` is freed with its object.
  private readonly dropped = new FinalizationRegistry<number>((bytes) => (this.held -= bytes))

  /** Counts from now on. */
  constructor(device: Pick<GPUDevice, 'createBuffer' | 'createTexture'>) {
    const createBuffer = device.createBuffer.bind(device)
    const createTexture = device.createTexture.bind(device)
    device.createBuffer = (descriptor) => this.counted(createBuffer(descriptor), descriptor.size)
    device.createTexture = (descriptor) => {
      const texture = createTexture(descriptor)
      const texels = texture.width * texture.height * texture.depthOrArrayLayers
      return this.counted(texture, texels * (TEXEL[texture.format] ?? 4))
    }
  }

  /** Bytes of buffers and textures that were made and not freed. */
  get bytes(): number {
    return this.held
  }

  private counted<T extends Destroyable>(thing: T, bytes: number): T {
    this.held += bytes
    this.dropped.register(thing, bytes, thing)
    const destroy = thing.destroy.bind(thing)
    thing.destroy = () => {
      if (this.dropped.unregister(thing)) this.held -= bytes
      destroy()
    }
    return thing
  }
}
