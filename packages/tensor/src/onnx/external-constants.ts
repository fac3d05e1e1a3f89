import type { OnnxInitializer, OnnxModel } from './onnx-model.ts'

/** From here on a constant lies beside the model: it is not copied into the bytes, which end at 2 GiB. */
const minExternalBytes = 2 ** 20

/** A model whose large constants are apart from it. */
export interface SplitModel {
  readonly model: OnnxModel
  /** Bytes of the large constants by their names. */
  readonly externalData: Readonly<Record<string, Uint8Array>>
}

/** Takes the constants of 1 MiB and more out of a model; they stay on the memory they are on. */
export function splitConstants(model: OnnxModel): SplitModel {
  const externalData: Record<string, Uint8Array> = {}
  const initializers = model.initializers.map((constant): OnnxInitializer => {
    const { data, ...value } = constant
    if (data === undefined || data.byteLength < minExternalBytes) return constant
    externalData[value.name] = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    return { ...value, external: { location: value.name, offsetBytes: 0, lengthBytes: data.byteLength } }
  })
  return { model: { ...model, initializers }, externalData }
}
