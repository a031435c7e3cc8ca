/** The WebGPU adapter and device that ORT and our own shaders share. */

import { BackendError } from '../errors'

/** Features that ORT's kernels profit from, where the adapter has them. */
const WANTED_FEATURES = ['shader-f16', 'subgroups', 'subgroup-size-control', 'timestamp-query'] as const
const SUBGROUP_FEATURES: ReadonlySet<string> = new Set(['subgroups', 'subgroup-size-control'])

/** Limits raised to what the adapter has: weights and caches are large buffers, kernels want shared memory. */
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const

/** @throws BackendError `no-webgpu` when the browser has none, or no adapter. */
export async function requestAdapter(): Promise<GPUAdapter> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu
  if (!gpu) {
    throw new BackendError(
      'no-webgpu',
      'This browser has no WebGPU. Use a current Chrome or Edge, or choose the WASM backend.',
    )
  }
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (!adapter) {
    throw new BackendError(
      'no-webgpu',
      'WebGPU found no graphics adapter. Update the graphics driver, turn on hardware acceleration, or choose the WASM backend.',
    )
  }
  return adapter
}

/**
 * @param subgroups false leaves the subgroup features out, which keeps ORT from its flash-attention kernel.
 */
export async function requestDevice(adapter: GPUAdapter, subgroups: boolean): Promise<GPUDevice> {
  const features = WANTED_FEATURES.filter(
    (feature) => adapter.features.has(feature) && (subgroups || !SUBGROUP_FEATURES.has(feature)),
  )
  const requiredLimits: Record<string, number> = {}
  for (const limit of WANTED_LIMITS) requiredLimits[limit] = adapter.limits[limit]
  try {
    return await adapter.requestDevice({
      requiredFeatures: features as unknown as GPUFeatureName[],
      requiredLimits,
    })
  } catch (cause) {
    throw new BackendError(
      'no-webgpu',
      'The graphics adapter refused a WebGPU device. Close other tabs that use the GPU, or choose the WASM backend.',
      { cause },
    )
  }
}

/** A short name of the adapter for people. */
export function describeAdapter(adapter: GPUAdapter): string {
  const { description, device, architecture, vendor } = adapter.info
  return description || device || [vendor, architecture].filter(Boolean).join(' ') || 'unknown adapter'
}
