import {
  ecgJepaEncoder,
  ecgJepaParameterSpecs,
  scopeLayers,
  weightLayers,
  type EcgJepaConfig,
  type EcgPooling,
} from '@qoq-med/encoders'
import { compileGraph, Graph, graphOps, type Executor } from '@qoq-med/tensor'
import { openTensorFile } from '../checkpoint/tensor-file.ts'
import { writeSafetensors } from '../checkpoint/safetensors-writer.ts'
import { modelErrors } from '../errors.ts'
import { ecgEncoderPlan } from '../folder/ecg-encoder-plan.ts'
import { readMediaArrays } from './input-arrays.ts'

/** Files of `writeEcgEmbeddings`. */
export interface WriteEcgEmbeddingsOptions {
  /** A bare ECG-JEPA checkpoint: the official .pth, or safetensors with the same names. */
  readonly checkpoint: string
  /**
   * Sizes in the official code's names (`encoder_embed_dim`, …), or sections of them, of which the one that fits the tensors is
   * taken. Default: inferred from the tensors.
   */
  readonly config?: Readonly<Record<string, unknown>>
  /** A safetensors file with `ecg` [N, leads, samples] in millivolts. */
  readonly inputs: string
  /** Becomes `ecg_embeds` [N, leads * patches, D], in the encoder's own space. */
  readonly out: string
}

/**
 * Runs a bare ECG-JEPA encoder: `qoq model embed FILE.pth`.
 *
 * @throws MODEL_PTH_INVALID, MODEL_SAFETENSORS_INVALID, MODEL_TENSOR_MISSING, MODEL_TENSOR_UNEXPECTED, MODEL_TENSOR_SHAPE,
 *   MODEL_INPUT_INVALID, ENCODERS_CONFIG
 */
export async function writeEcgEmbeddings(
  executor: Executor,
  { checkpoint, config, inputs, out }: WriteEcgEmbeddingsOptions,
): Promise<void> {
  const source = await openTensorFile(checkpoint)
  try {
    const { sizes, plan } = ecgEncoderPlan(source, config)
    const weights: Record<string, Float32Array> = {}
    for (const [name, { storedName }] of plan) weights[`encoder.${name}`] = await source.readFloat32(storedName)
    const pooling: EcgPooling = 'patches'
    const { ecgs } = await readMediaArrays(inputs, { ecg: { encoder: sizes, pooling, isExplicit: true } })
    if (ecgs.length === 0) throw modelErrors.INPUT_INVALID({ name: 'ecg', problem: 'is missing' })
    const tokens = sizes.numLeads * sizes.numPatches
    const data = new Float32Array(ecgs.length * tokens * sizes.embedDim)
    const program = await compileGraph(executor, encoderGraph(sizes))
    for (const [i, { signalMv }] of ecgs.entries()) {
      const { embeds } = await program.run({ ...weights, ecg: signalMv.slice() })
      data.set(embeds as Float32Array, i * tokens * sizes.embedDim) // floats by type
    }
    await program.close()
    await writeSafetensors(out, [{ name: 'ecg_embeds', shape: [ecgs.length, tokens, sizes.embedDim], data }])
  } finally {
    await source.close()
  }
}

function encoderGraph(sizes: EcgJepaConfig): Graph {
  const graph = new Graph()
  const weights = new Map(
    ecgJepaParameterSpecs(sizes).map(({ name, shape }) => [`encoder.${name}`, graph.input(`encoder.${name}`, shape)]),
  )
  const ecg = graph.input('ecg', [1, sizes.numLeads, sizes.numPatches * sizes.patchSize])
  const ops = graphOps(graph)
  const layers = weightLayers(ops, name => weights.get(name)!) // the encoder asks for its own parameters
  graph.output('embeds', ecgJepaEncoder(ops, scopeLayers(layers, 'encoder.'), sizes, ecg))
  return graph
}
