import assert from 'node:assert/strict'
import { create, toBinary } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { tensorErrors } from '../errors.ts'
import type { DType } from '../graph/tensor.ts'
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './generated/onnx_pb.ts'
import type { OnnxAttribute } from '../ops/onnx-scope.ts'
import type { OnnxInitializer, OnnxModel, OnnxNode, OnnxValue } from './onnx-model.ts'

/** Version 10 of the ONNX intermediate representation, the one that came with opset 21. */
const IR_VERSION = 10n
const OPSETS = [
  { domain: '', version: 21n },
  { domain: 'com.microsoft', version: 1n },
]
/** Protobuf readers count a message's bytes in a signed 32-bit integer. */
const MAX_MODEL_BYTES = 2 ** 31 - 1

const dataTypes: Readonly<Record<DType, DataType>> = {
  float32: DataType.FLOAT,
  int32: DataType.INT32,
  int64: DataType.INT64,
  bool: DataType.BOOL,
  uint8: DataType.UINT8,
  int8: DataType.INT8,
  float16: DataType.FLOAT16,
  bfloat16: DataType.BFLOAT16,
  uint4: DataType.UINT4,
}

/** Field numbers of onnx.proto that are written by hand, so that the bytes of large constants are copied only once. */
const FIELD = {
  modelGraph: ModelProtoSchema.field.graph.number,
  graphInitializer: GraphProtoSchema.field.initializer.number,
  tensorRawData: TensorProtoSchema.field.rawData.number,
}

/**
 * Encodes a model as ONNX protobuf bytes (opset 21 with com.microsoft 1, IR version 10). Each node is named after its
 * first output, so that a runtime's message tells which node failed. Constants are stored as little-endian raw data
 * and copied once, into the answer; external ones are only referred to.
 *
 * @throws TENSOR_MODEL_TOO_LARGE when the model would exceed protobuf's 2 GiB; large constants must then be external
 */
export function encodeModel(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const stored = model.initializers.filter(initializer => initializer.data !== undefined).map(storedPieces)
  const external = model.initializers.filter(initializer => initializer.data === undefined).map(externalTensor)
  const graphHead = toBinary(GraphProtoSchema, graphProto(model, external))
  const modelHead = toBinary(ModelProtoSchema, create(ModelProtoSchema, modelFields()))
  const graph = [graphHead, ...stored.flat()]
  return joined([modelHead, lengthPrefix(FIELD.modelGraph, byteLength(graph)), ...graph])
}

function modelFields(): object {
  const opsetImport = OPSETS.map(opset => create(OperatorSetIdProtoSchema, opset))
  return { irVersion: IR_VERSION, producerName: '@qoq-med/tensor', opsetImport }
}

function graphProto(model: OnnxModel, initializer: TensorProto[]): GraphProto {
  return create(GraphProtoSchema, {
    name: 'graph',
    node: model.nodes.map(nodeProto),
    input: model.inputs.map(valueInfo),
    output: model.outputs.map(valueInfo),
    initializer,
  })
}

function nodeProto(node: OnnxNode): NodeProto {
  return create(NodeProtoSchema, {
    name: node.outputs.find(name => name !== '') ?? node.type,
    opType: node.type,
    domain: node.domain ?? '',
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes ?? {}).map(([name, value]) => attributeProto(name, value)),
  })
}

function attributeProto(name: string, value: OnnxAttribute): AttributeProto {
  if (typeof value === 'number')
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) })
  if (typeof value === 'string')
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) })
  if ('float' in value) return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float })
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) })
}

function valueInfo({ name, dtype, shape }: OnnxValue): ValueInfoProto {
  const dim = shape.map(length =>
    create(
      TensorShapeProto_DimensionSchema,
      length === -1 ? {} : { value: { case: 'dimValue', value: BigInt(length) } },
    ),
  )
  const tensor = create(TypeProto_TensorSchema, {
    elemType: dataTypes[dtype],
    shape: create(TensorShapeProtoSchema, { dim }),
  })
  const type = create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } })
  return create(ValueInfoProtoSchema, { name, type })
}

function tensorFields({ name, dtype, shape }: OnnxInitializer): Pick<TensorProto, 'name' | 'dataType' | 'dims'> {
  return { name, dataType: dataTypes[dtype], dims: shape.map(BigInt) }
}

function externalTensor(initializer: OnnxInitializer): TensorProto {
  assert(initializer.external, `the constant ${initializer.name} has neither data nor a place beside the model`)
  const { location, offsetBytes, lengthBytes } = initializer.external
  const entries = { location, offset: String(offsetBytes), length: String(lengthBytes) }
  const externalData = Object.entries(entries).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value }),
  )
  return create(TensorProtoSchema, {
    ...tensorFields(initializer),
    dataLocation: DataLocation.EXTERNAL,
    externalData,
  })
}

/** The bytes of one entry of `GraphProto.initializer` in pieces; the last is a view of the constant itself. */
function storedPieces(initializer: OnnxInitializer): Uint8Array[] {
  const { buffer, byteOffset, byteLength: length } = initializer.data ?? new Uint8Array()
  const head = toBinary(TensorProtoSchema, create(TensorProtoSchema, tensorFields(initializer)))
  const tensor = [head, lengthPrefix(FIELD.tensorRawData, length), new Uint8Array(buffer, byteOffset, length)]
  return [lengthPrefix(FIELD.graphInitializer, byteLength(tensor)), ...tensor]
}

function lengthPrefix(fieldNumber: number, length: number): Uint8Array {
  if (length > MAX_MODEL_BYTES) throw tensorErrors.MODEL_TOO_LARGE({ bytes: length, limitBytes: MAX_MODEL_BYTES })
  return new BinaryWriter().tag(fieldNumber, WireType.LengthDelimited).uint32(length).finish()
}

function byteLength(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((total, piece) => total + piece.length, 0)
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteLength(pieces))
  let offset = 0
  for (const piece of pieces) {
    bytes.set(piece, offset)
    offset += piece.length
  }
  return bytes
}
