/** A loaded model on a started backend. Runs in the worker, in Node and in tests alike. */

import { ModelError, StudioError, throwIfAborted } from '../errors'
import { allowedLengths, latentFrames, pixelFrames } from '../flowmap/chunks'
import { type FileCache, noCache } from '../models/cache'
import type { Fetch } from '../models/download'
import type { Manifest } from '../models/manifest'
import { loadGraphFiles, loadPackage, type ModelPackage } from '../models/package'
import { openRuntime } from '../runtime/open'
import type { BackendChoice } from '../runtime/report'
import type { Graph, Runtime } from '../runtime/runtime'
import { checkGiven, checkRequest, checkTokens } from './request'
import { type EngineEvent, makeTake, type TakeControls } from './take'
import { TextEncoder } from './text-encoder'
import { WordPiece } from './tokenizer'
import type { GenerationRequest, LoadedModel, LoadOptions } from './types'

export interface EngineOptions {
  readonly cache?: FileCache
  readonly fetch?: Fetch
}

/** Everything compiled for one runtime. */
interface Compiled {
  readonly runtime: Runtime
  readonly step: Graph
  readonly cache: Graph
  readonly decoder: Graph
  readonly text: TextEncoder
  /** Fetched and compiled by the first take with given frames. */
  encoder?: Promise<Graph>
}

interface Loaded {
  readonly url: string
  readonly choice: BackendChoice
  readonly tokenizer: WordPiece
  readonly model: LoadedModel
  /** Kept to compile again after a lost device; dropped when large, then read from the cache again. */
  readonly pack: ModelPackage | undefined
}

/** Packages up to this size stay in memory. */
const KEPT_BYTES = 256 * 2 ** 20

export class Engine {
  private loaded: Loaded | undefined
  private compiled: Compiled | undefined

  constructor(private readonly options: EngineOptions = {}) {}

  /** @throws ModelError, BackendError, AbortedError */
  async load(url: string, options: LoadOptions): Promise<LoadedModel> {
    const started = performance.now()
    const { signal, onProgress, backend: choice } = options
    const pack = await this.fetchPackage(url, options)
    const { manifest } = pack
    const tokenizer = new WordPiece(new TextDecoder().decode(pack.files.get(manifest.text.vocab)))
    throwIfAborted(signal)
    await this.dispose()
    const compiled = await this.compile(pack, tokenizer, options)
    const bytes = [...pack.files.values()].reduce((sum, file) => sum + file.byteLength, 0)
    onProgress?.({
      phase: 'ready',
      item: manifest.name,
      loadedBytes: bytes,
      totalBytes: bytes,
      cachedBytes: 0,
    })
    const model: LoadedModel = {
      manifest,
      backend: compiled.runtime.report,
      lengths: allowedLengths(
        manifest.transformer.chunkPlan,
        manifest.video.temporalStride,
        manifest.video.maxFrames,
      ),
      loadMs: performance.now() - started,
    }
    this.compiled = compiled
    this.loaded = { url, choice, tokenizer, model, pack: bytes <= KEPT_BYTES ? pack : undefined }
    return model
  }

  get model(): LoadedModel | undefined {
    return this.loaded?.model
  }

  /** The device frames are decoded on; undefined on WASM. */
  get device(): GPUDevice | undefined {
    return this.compiled?.runtime.device
  }

  countTokens(prompt: string): { used: number; limit: number } {
    const { tokenizer, model } = this.need()
    return { used: tokenizer.encode(prompt).length, limit: model.manifest.text.maxTokens }
  }

  /**
   * Makes a take, pulled event by event. A lost device is replaced first.
   * @param signal ends the take, and downloads that it needs.
   * @param controls what else may change meanwhile.
   * @throws StudioError
   */
  async *generate(
    request: GenerationRequest,
    signal?: AbortSignal,
    controls: TakeControls = {},
  ): AsyncGenerator<EngineEvent, void, void> {
    const loaded = this.need()
    const { manifest, lengths } = loaded.model
    checkRequest(request, lengths)
    checkGiven(request, manifest.video, lengths)
    const { used, limit } = this.countTokens(request.prompt)
    checkTokens(used, limit)
    const compiled = await this.revive(loaded, signal)
    yield* makeTake({
      runtime: compiled.runtime,
      manifest,
      graphs: compiled,
      request,
      encodeText: (text) => compiled.text.encode(text),
      openEncoder: () => this.openEncoder(loaded, compiled, signal),
      controls: {
        ...controls,
        isStopped: () => signal?.aborted === true || controls.isStopped?.() === true,
      },
    })
  }

  /** Frees the sessions and the device. `load` may be called again. */
  async dispose(): Promise<void> {
    const { compiled } = this
    this.compiled = undefined
    this.loaded = undefined
    await compiled?.runtime.dispose()
  }

  private need(): Loaded {
    if (this.loaded) return this.loaded
    throw new ModelError('model-not-loaded', 'No model is loaded. Load a model first.')
  }

  private fetchPackage(url: string, options: LoadOptions): Promise<ModelPackage> {
    return loadPackage(url, { ...this.fetching(options.signal), onProgress: options.onProgress })
  }

  private fetching(signal: AbortSignal | undefined) {
    const { fetch, cache = noCache } = this.options
    return { ...(fetch ? { fetch } : {}), cache, signal }
  }

  private openEncoder(loaded: Loaded, compiled: Compiled, signal: AbortSignal | undefined): Promise<Graph> {
    const open = async (): Promise<Graph> => {
      const { manifest } = loaded.model
      const spec = manifest.graphs.encoder
      if (!spec) throw new StudioError('internal', 'The encoder of a model without one was asked for.')
      const files = await loadGraphFiles(loaded.url, manifest, 'encoder', this.fetching(signal))
      return compiled.runtime.createGraph(spec, files)
    }
    compiled.encoder ??= open().catch((error: unknown) => {
      // The next take tries again.
      delete compiled.encoder
      throw error
    })
    return compiled.encoder
  }

  private async revive(loaded: Loaded, signal: AbortSignal | undefined): Promise<Compiled> {
    if (this.compiled && !this.compiled.runtime.isLost) return this.compiled
    await this.compiled?.runtime.dispose()
    this.compiled = undefined
    const options: LoadOptions = { backend: loaded.choice, signal }
    const pack = loaded.pack ?? (await this.fetchPackage(loaded.url, options))
    this.compiled = await this.compile(pack, loaded.tokenizer, options)
    return this.compiled
  }

  private async compile(pack: ModelPackage, tokenizer: WordPiece, options: LoadOptions): Promise<Compiled> {
    const { manifest, files } = pack
    const report = (item: string): void =>
      options.onProgress?.({ phase: 'compile', item, loadedBytes: 0, totalBytes: 0, cachedBytes: 0 })
    report('backend')
    const runtime = await openRuntime(options.backend, options.signal)
    try {
      const build = async (name: 'step' | 'cache' | 'decoder' | 'text'): Promise<Graph> => {
        throwIfAborted(options.signal)
        report(name)
        return runtime.createGraph(manifest.graphs[name], files, { onCpu: name === 'text' })
      }
      const text = new TextEncoder(tokenizer, manifest.text, await build('text'), runtime.ort)
      const step = await build('step')
      const cache = await build('cache')
      const decoder = await build('decoder')
      const compiled: Compiled = { runtime, step, cache, decoder, text }
      report('first run')
      await warmUp(compiled, manifest, options.signal)
      return compiled
    } catch (error) {
      await runtime.dispose()
      throw error instanceof StudioError
        ? error
        : new StudioError('internal', String(error), { cause: error })
    }
  }
}

/**
 * Runs the shortest take that has every shape. The first run of a kernel compiles its shader on WebGPU, and packs weights
 * and optimises code on WASM; the user should not wait for that after pressing Generate.
 */
async function warmUp(
  compiled: Compiled,
  manifest: Manifest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { chunkPlan } = manifest.transformer
  const latents = Math.min(
    chunkPlan.first + chunkPlan.rest,
    latentFrames(manifest.video.maxFrames, manifest.video.temporalStride),
  )
  const take = makeTake({
    runtime: compiled.runtime,
    manifest,
    graphs: compiled,
    request: { prompt: '', steps: 1, seed: 0, frames: pixelFrames(latents, manifest.video.temporalStride) },
    encodeText: (text) => compiled.text.encode(text),
  })
  for await (const event of take) if (event.type === 'progress') throwIfAborted(signal)
}
