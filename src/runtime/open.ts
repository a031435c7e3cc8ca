/** Choosing and starting a backend: WebGPU where attention can be trusted, else WASM; and saying why. */

import type { BackendChoice, BackendReport } from './report'
import { BackendError, throwIfAborted } from '../errors'
import { attentionError, isAcceptable } from './attention-test'
import { GpuMeter } from './gpu-meter'
import { describeAdapter, requestAdapter, requestDevice } from './device'
import { chooseThreads, loadOrt, type OrtBuild } from './ort'
import { hasJspi } from './ort-files'
import { type Backend, Runtime } from './runtime'
import { CpuTensors } from './tensors-cpu'
import { GpuTensors } from './tensors-gpu'

/**
 * Starts the backend that was asked for. `auto` falls back to WASM; `webgpu` and `wasm` are taken at their word.
 * @throws BackendError
 */
export async function openRuntime(choice: BackendChoice, signal?: AbortSignal): Promise<Runtime> {
  if (choice === 'wasm') return new Runtime(await openWasm('Chosen by hand.'))
  try {
    return new Runtime(await openWebGpu(signal))
  } catch (error) {
    throwIfAborted(signal)
    if (choice === 'webgpu') throw error
    const why = error instanceof Error ? error.message : String(error)
    return new Runtime(await openWasm(`WebGPU cannot be used: ${why}`))
  }
}

async function openWasm(reason: string): Promise<Backend> {
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated ?? false
  const threads = chooseThreads(
    (globalThis.navigator as Navigator | undefined)?.hardwareConcurrency ?? 1,
    isolated,
  )
  try {
    const ort = await loadOrt('wasm', threads)
    // Threads are decided when the module starts, so ask the module.
    const started = ort.env.wasm.numThreads ?? threads
    const single = isolated
      ? ''
      : ' One thread only: the page is not cross-origin isolated (COOP and COEP headers).'
    const report: BackendReport = {
      backend: 'wasm',
      label: started > 1 ? `WASM, ${started} threads` : 'WASM, 1 thread',
      reason: reason + single,
      adapter: '',
      threads: started,
    }
    return { ort, report, tensors: new CpuTensors(ort), device: undefined, meter: undefined }
  } catch (cause) {
    throw new BackendError(
      'no-backend',
      'The WASM runtime could not be started. Reload the page; if it stays, use a current Chrome, Edge or Firefox.',
      { cause },
    )
  }
}

async function openWebGpu(signal: AbortSignal | undefined): Promise<Backend> {
  const builds: OrtBuild[] = hasJspi() ? ['jspi', 'asyncify'] : ['asyncify']
  // Without WebGPU there is no point in loading its runtime.
  await requestAdapter()
  let failure: unknown
  for (const build of builds) {
    throwIfAborted(signal)
    try {
      return await tryBuild(build)
    } catch (error) {
      failure = error
      if (error instanceof BackendError) throw error
    }
  }
  const detail = failure instanceof Error ? failure.message : String(failure)
  throw new BackendError(
    'no-webgpu',
    `The WebGPU runtime could not be started: ${detail}. Choose the WASM backend.`,
    {
      cause: failure,
    },
  )
}

async function tryBuild(build: OrtBuild): Promise<Backend> {
  // Threads serve only the text encoder here.
  const ort = await loadOrt(build, 1)
  const errors: number[] = []
  for (const subgroups of [true, false]) {
    // An adapter gives one device only.
    const adapter = await requestAdapter()
    const offersSubgroups = adapter.features.has('subgroups')
    if (subgroups && !offersSubgroups) continue
    const device = await requestDevice(adapter, subgroups)
    const meter = new GpuMeter(device)
    const error = await attentionError(ort, device).catch((cause: unknown) => {
      device.destroy()
      throw cause
    })
    if (isAcceptable(error)) {
      const name = describeAdapter(adapter)
      const how =
        errors.length > 0 ? ' without subgroups, whose attention kernel is wrong on this driver' : ''
      const report: BackendReport = {
        backend: 'webgpu',
        label: 'WebGPU',
        reason: `Fastest available; the attention self-test passed on ${name}${how}.`,
        adapter: name,
        threads: 1,
      }
      return { ort, report, tensors: new GpuTensors(ort, device), device, meter }
    }
    errors.push(error)
    device.destroy()
  }
  throw new BackendError(
    'no-webgpu',
    `attention gives wrong numbers on this graphics driver (error ${Math.max(...errors).toPrecision(2)}). ` +
      'Update the driver, or choose the WASM backend.',
  )
}
