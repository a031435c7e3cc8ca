/**
 * The manifest of a model package, format "anyflow-studio/1" (documented in models/README.md): schema, types, checks.
 */

import * as v from 'valibot'
import { ModelError } from '../errors'

/** The only format this version reads. */
export const MANIFEST_FORMAT = 'anyflow-studio/1'

const positive = v.pipe(v.number(), v.integer(), v.minValue(1))
const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const text = v.pipe(v.string(), v.minLength(1))
/** A relative path inside the package: no scheme, no leading slash, no `..`. */
const relativePath = v.pipe(
  text,
  v.check(
    (path) =>
      !path.startsWith('/') && !path.includes(':') && !path.includes('\\') && !path.split('/').includes('..'),
    'must be a relative path inside the package',
  ),
)

const tensorSpec = v.object({
  name: text,
  dtype: v.picklist(['float32', 'int32', 'int64']),
  shape: v.array(v.union([count, text])),
})

const stateSpec = v.object({ input: text, output: text, shape: v.array(positive) })

const graph = v.object({
  file: relativePath,
  externalData: v.optional(v.array(relativePath), []),
  inputs: v.array(tensorSpec),
  outputs: v.array(tensorSpec),
  state: v.optional(v.array(stateSpec), []),
})

const manifestSchema = v.object({
  format: v.literal(MANIFEST_FORMAT),
  id: text,
  name: text,
  description: v.string(),
  licence: v.object({ name: text, url: v.optional(v.string()) }),
  provenance: v.object({
    commit: v.string(),
    config: v.string(),
    date: v.string(),
    metrics: v.record(v.string(), v.nullable(v.number())),
    /** The training stage that the weights come from. */
    stage: v.optional(v.string()),
  }),
  video: v.object({
    width: positive,
    height: positive,
    fps: positive,
    spatialStride: positive,
    temporalStride: positive,
    latentChannels: positive,
    latentMean: v.array(v.number()),
    latentStd: v.array(v.number()),
    maxFrames: positive,
    defaultFrames: positive,
  }),
  text: v.object({
    tokenizer: v.literal('bert-wordpiece'),
    vocab: relativePath,
    lowercase: v.boolean(),
    maxTokens: v.pipe(v.number(), v.integer(), v.minValue(3)),
    dim: positive,
  }),
  transformer: v.object({
    architecture: v.literal('far'),
    layers: positive,
    heads: positive,
    dim: positive,
    patchSize: v.tuple([positive, positive, positive]),
    compressedPatchSize: v.tuple([positive, positive, positive]),
    chunkPlan: v.object({ first: positive, rest: positive }),
    fullChunkLimit: positive,
    shift: v.pipe(v.number(), v.gtValue(0)),
    timestepScale: v.pipe(v.number(), v.gtValue(0)),
    guidanceFused: v.boolean(),
    maxPositions: positive,
  }),
  graphs: v.object({
    text: graph,
    step: graph,
    cache: graph,
    decoder: graph,
    encoder: v.optional(graph),
  }),
  /** Linear map from a latent vector to the block of small pixels it stands for; absent: no live estimates. */
  estimate: v.optional(
    v.object({ patch: positive, weights: v.array(v.array(v.number())), bias: v.array(v.number()) }),
  ),
  files: v.array(
    v.object({
      path: relativePath,
      bytes: count,
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits')),
    }),
  ),
  examples: v.array(v.object({ prompt: text, seed: count })),
})

export type Manifest = v.InferOutput<typeof manifestSchema>
export type GraphSpec = Manifest['graphs']['step']
export type FileEntry = Manifest['files'][number]

/**
 * Checks a parsed `manifest.json`.
 * @throws ModelError `wrong-format` for another format version, `bad-manifest` naming the field and what is wrong.
 */
export function parseManifest(json: unknown): Manifest {
  const format = typeof json === 'object' && json !== null && 'format' in json ? json.format : undefined
  if (typeof format === 'string' && format !== MANIFEST_FORMAT) {
    throw new ModelError(
      'wrong-format',
      `This model package has format "${format}", and this app reads "${MANIFEST_FORMAT}". ` +
        'Export the package again with the matching version of the repository.',
    )
  }
  const result = v.safeParse(manifestSchema, json)
  if (!result.success) {
    const issue = result.issues[0]
    const path = v.getDotPath(issue) ?? '(root)'
    throw badManifest(path, issue.message)
  }
  checkConsistency(result.output)
  return result.output
}

function badManifest(field: string, problem: string): ModelError {
  return new ModelError(
    'bad-manifest',
    `The model's manifest.json is not valid: ${field}: ${problem}. Export the package again, or choose another model.`,
  )
}

/** Rules that span fields. */
function checkConsistency(manifest: Manifest): void {
  const { video, transformer } = manifest
  if (video.width % video.spatialStride !== 0 || video.height % video.spatialStride !== 0) {
    throw badManifest('video.spatialStride', `must divide ${video.width} x ${video.height}`)
  }
  if (transformer.dim % transformer.heads !== 0) {
    throw badManifest('transformer.heads', `must divide transformer.dim ${transformer.dim}`)
  }
  const [, compressedH, compressedW] = transformer.compressedPatchSize
  if (
    (video.height / video.spatialStride) % compressedH !== 0 ||
    (video.width / video.spatialStride) % compressedW !== 0
  ) {
    throw badManifest('transformer.compressedPatchSize', 'must divide the latent height and width')
  }
  checkEstimate(manifest)
  const listed = new Set(manifest.files.map((file) => file.path))
  const wanted: [string, string][] = [['text.vocab', manifest.text.vocab]]
  for (const [name, spec] of Object.entries(manifest.graphs)) {
    if (!spec) continue
    wanted.push([`graphs.${name}.file`, spec.file])
    for (const path of spec.externalData) wanted.push([`graphs.${name}.externalData`, path])
  }
  for (const [field, path] of wanted) {
    if (!listed.has(path)) throw badManifest(field, `"${path}" is not in the list of files`)
  }
}

function checkEstimate({ estimate, video }: Manifest): void {
  if (!estimate) return
  const outputs = 3 * estimate.patch ** 2
  if (estimate.weights.length !== video.latentChannels)
    throw badManifest(
      'estimate.weights',
      `must have a row for each of ${video.latentChannels} latent channels`,
    )
  if (estimate.weights.some((row) => row.length !== outputs) || estimate.bias.length !== outputs)
    throw badManifest('estimate', `must have ${outputs} values a row for patches of ${estimate.patch}`)
}
