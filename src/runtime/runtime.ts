/** One started backend: sessions, tensors, and whether its device still lives. */

import type { InferenceSession } from 'onnxruntime-web'
import type { BackendReport } from './report'
import { BackendError } from '../errors'
import type { GraphSpec } from '../models/manifest'
import type { GpuMeter } from './gpu-meter'
import type { Ort, Session, Tensor } from './ort'
import { SerialQueue } from './queue'
import type { TensorStore } from './tensors'

/** What distinguishes the backends. */
export interface Backend {
  readonly ort: Ort
  readonly report: BackendReport
  readonly tensors: TensorStore
  /** The device on WebGPU. */
  readonly device: GPUDevice | undefined
  /** Counts the device's memory. */
  readonly meter: Pick<GpuMeter, 'bytes'> | undefined
}

export interface GraphOptions {
  /** Runs on the CPU even on WebGPU, with inputs and outputs in CPU memory. */
  readonly onCpu?: boolean
}

/** A compiled graph. */
export interface Graph {
  /** Inputs and outputs by name. Outputs are the caller's to release. */
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>
  release(): Promise<void>
}

/** Runs every ORT call of one backend through one queue. */
export class Runtime {
  private readonly queue = new SerialQueue()
  private readonly graphs = new Set<Graph>()
  /** Set once, by the device's own event; a field of an object so that checks after an `await` look again. */
  private readonly loss: { reason?: string } = {}
  private readonly lost: Promise<never>

  constructor(private readonly backend: Backend) {
    this.lost = new Promise<never>((_resolve, reject) => {
      void backend.device?.lost.then((info) => {
        this.loss.reason = info.message || info.reason
        reject(this.lossError())
      })
    })
    // Raced against below; alone it must not count as unhandled.
    this.lost.catch(() => undefined)
  }

  get report(): BackendReport {
    return this.backend.report
  }

  get ort(): Ort {
    return this.backend.ort
  }

  /** Bytes that the device holds, on WebGPU. */
  get gpuBytes(): number | undefined {
    return this.backend.meter?.bytes
  }

  get tensors(): TensorStore {
    return this.backend.tensors
  }

  get device(): GPUDevice | undefined {
    return this.backend.device
  }

  get isLost(): boolean {
    return this.loss.reason !== undefined
  }

  /**
   * Compiles a graph of a package.
   * @throws BackendError `session-failed`, `out-of-memory` or `device-lost`.
   */
  async createGraph(
    spec: GraphSpec,
    files: ReadonlyMap<string, Uint8Array>,
    options: GraphOptions = {},
  ): Promise<Graph> {
    const model = files.get(spec.file)
    if (!model) throw new BackendError('session-failed', `The graph ${spec.file} is not in the package.`)
    const externalData = spec.externalData.map((path) => {
      const data = files.get(path)
      if (!data) throw new BackendError('session-failed', `The weights ${path} are not in the package.`)
      return { path, data }
    })
    const { device } = this.backend
    const onGpu = device !== undefined && options.onCpu !== true
    const sessionOptions: InferenceSession.SessionOptions = {
      executionProviders: onGpu ? [{ name: 'webgpu', device } as never] : ['wasm'],
      graphOptimizationLevel: 'all',
      externalData,
      ...(onGpu ? { preferredOutputLocation: 'gpu-buffer' as const } : {}),
    }
    const session = await this.guarded(`compile ${spec.file}`, () =>
      this.ort.InferenceSession.create(model, sessionOptions),
    )
    const graph: Graph = {
      run: (inputs) => this.run(session, spec.file, inputs, onGpu),
      release: async () => {
        this.graphs.delete(graph)
        // A session on a dead device cannot be freed in order; the device's memory is gone already.
        if (!this.isLost) await this.queue.run(() => session.release()).catch(() => undefined)
      },
    }
    this.graphs.add(graph)
    return graph
  }

  /** Frees every session, then the device. */
  async dispose(): Promise<void> {
    for (const graph of [...this.graphs]) await graph.release()
    this.backend.device?.destroy()
  }

  private async run(
    session: Session,
    name: string,
    inputs: Readonly<Record<string, Tensor>>,
    onGpu: boolean,
  ): Promise<Record<string, Tensor>> {
    const outputs = await this.guarded(`run ${name}`, () => session.run(inputs))
    // On the GPU `run` resolves when the work is queued. Waiting for its end keeps one pass in flight at most, so
    // that a stop takes effect within a pass and timings are those of the work.
    if (onGpu && this.backend.device) {
      await Promise.race([this.backend.device.queue.onSubmittedWorkDone(), this.lost])
      if (this.isLost) throw this.lossError()
    }
    return outputs
  }

  private async guarded<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (this.isLost) throw this.lossError()
    try {
      return await Promise.race([this.queue.run(work), this.lost])
    } catch (error) {
      if (error instanceof BackendError) throw error
      // A failing call is often the first sign of a loss that `device.lost` reports a moment later.
      await new Promise((resolve) => setTimeout(resolve, 0))
      if (this.loss.reason !== undefined) throw this.lossError()
      throw describeFailure(what, error)
    }
  }

  private lossError(): BackendError {
    return new BackendError(
      'device-lost',
      `The graphics device was lost (${this.loss.reason ?? 'unknown'}). What was decoded is kept. ` +
        'Press Generate to start the device again; if it happens often, choose fewer frames or the WASM backend.',
    )
  }
}

function describeFailure(what: string, error: unknown): BackendError {
  const detail = error instanceof Error ? error.message : String(error)
  if (/out of memory|bad_alloc|allocation failed|Aborted\(/i.test(detail)) {
    return new BackendError(
      'out-of-memory',
      `There was not enough memory to ${what}. Close other tabs, choose a shorter clip or a smaller model.`,
      { cause: error },
    )
  }
  return new BackendError(
    'session-failed',
    `The model could not ${what}: ${detail}. Reload the page; if it stays, choose the other backend.`,
    { cause: error },
  )
}
