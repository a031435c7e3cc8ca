/**
 * Just enough of ONNX's protobuf to write a graph of one node, for the self-test. Field numbers are those of
 * onnx.proto3 (ModelProto, GraphProto, NodeProto, AttributeProto, ValueInfoProto).
 */

type Bytes = number[]

const encoder = new TextEncoder()

function varint(value: number): Bytes {
  const bytes: Bytes = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return bytes
}

function intField(field: number, value: number): Bytes {
  return [...varint(field * 8), ...varint(value)]
}

function bytesField(field: number, value: Bytes): Bytes {
  return [...varint(field * 8 + 2), ...varint(value.length), ...value]
}

function textField(field: number, value: string): Bytes {
  return bytesField(field, [...encoder.encode(value)])
}

/** A float32 input or output of the graph. */
export interface ValueInfo {
  readonly name: string
  readonly shape: readonly number[]
}

/** A graph with a single node and integer attributes. */
export interface SingleNodeModel {
  readonly op: string
  readonly domain: string
  readonly attributes: Readonly<Record<string, number>>
  readonly inputs: readonly ValueInfo[]
  /** Names of the node's inputs in order; an empty string leaves an optional one out. */
  readonly nodeInputs: readonly string[]
  readonly output: ValueInfo
}

const FLOAT = 1
const ATTRIBUTE_INT = 2

function valueInfo(value: ValueInfo): Bytes {
  const shape = value.shape.flatMap((size) => bytesField(1, intField(1, size)))
  const tensorType = [...intField(1, FLOAT), ...bytesField(2, shape)]
  return [...textField(1, value.name), ...bytesField(2, bytesField(1, tensorType))]
}

/** Serialises the model: IR version 9, default opset 17, `com.microsoft` 1. */
export function writeModel(model: SingleNodeModel): Uint8Array {
  const attributes = Object.entries(model.attributes).flatMap(([name, value]) =>
    bytesField(5, [...textField(1, name), ...intField(3, value), ...intField(20, ATTRIBUTE_INT)]),
  )
  const node = [
    ...model.nodeInputs.flatMap((name) => textField(1, name)),
    ...textField(2, model.output.name),
    ...textField(3, 'node'),
    ...textField(4, model.op),
    ...attributes,
    ...textField(7, model.domain),
  ]
  const graph = [
    ...bytesField(1, node),
    ...textField(2, 'graph'),
    ...model.inputs.flatMap((input) => bytesField(11, valueInfo(input))),
    ...bytesField(12, valueInfo(model.output)),
  ]
  const opset = (domain: string, version: number): Bytes =>
    bytesField(8, [...textField(1, domain), ...intField(2, version)])
  return Uint8Array.from([
    ...intField(1, 9),
    ...bytesField(7, graph),
    ...opset('', 17),
    ...opset('com.microsoft', 1),
  ])
}
