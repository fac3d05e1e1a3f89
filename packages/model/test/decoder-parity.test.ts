import { weightLayers } from '@qoq-med/encoders'
import { compileGraph, createOrtExecutor, Graph, graphOps, type OrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readFile } from 'node:fs/promises'
import { qwen2 } from '../src/architectures/qwen2/qwen2.ts'
import { decoderConfig } from '../src/decoder/decoder-config.ts'
import { openSafetensors, type SafetensorsFile } from '../src/checkpoint/safetensors-reader.ts'
import { rowAttention } from '../src/decoder/attention.ts'
import { hidden as hiddenScore } from '../src/decoder/later-tokens-mask.ts'
import { decoder, embedTokens, logits } from '../src/decoder/decoder.ts'
import { decoderParameterSpecs } from '../src/decoder/parameter-specs.ts'
import { rotaryTables } from '../src/decoder/rotary-tables.ts'
import { missingOracles, oracleFile } from './oracle-folder.ts'

let executor: OrtExecutor
beforeAll(async () => {
  executor = await createOrtExecutor()
})
afterAll(() => executor.close())

const entry = (file: SafetensorsFile, name: string) => file.entries.find(each => each.name === name)!
const int32 = (file: SafetensorsFile, name: string): Promise<Int32Array> => file.readInt32(entry(file, name))
const float32 = (file: SafetensorsFile, name: string): Promise<Float32Array> => file.readFloat32(entry(file, name))

/** Causal attention that also hides padding: [B, 1, 1, T, T]. */
function paddedMask(attentionMask: Int32Array, batch: number, length: number): Float32Array {
  return Float32Array.from({ length: batch * length * length }, (_, i) => {
    const [sequence, query, key] = [Math.floor(i / (length * length)), Math.floor(i / length) % length, i % length]
    return attentionMask[sequence * length + key] === 0 || key > query ? hiddenScore : 0
  })
}

describe.skipIf(missingOracles)(
  `the decoder matches transformers${missingOracles ? `: ${missingOracles}` : ''}`,
  () => {
    test.for(['qwen2_text_tiny', 'qwen2_text_tied'])('%s, left-padded batch', async name => {
      const config = decoderConfig(
        JSON.parse(await readFile(oracleFile(`models/${name}/config.json`), 'utf8')),
        name,
        qwen2,
      )
      const [model, cases] = await Promise.all(
        [`models/${name}/model.safetensors`, `models/${name}_cases.safetensors`].map(path =>
          openSafetensors(oracleFile(path)),
        ),
      )
      const [batch, length] = entry(cases!, 'input_ids').shape as [number, number]
      const graph = new Graph()
      const ops = graphOps(graph)
      const specs = decoderParameterSpecs(config)
      const weights = new Map(specs.map(spec => [spec.name, graph.input(spec.name, spec.shape)]))
      const mask = graph.input('mask', [batch, 1, 1, length, length])
      const rotation = ['cos', 'sin'].map(table => graph.input(table, [batch * length, config.headDim / 2]))
      const layers = weightLayers(ops, weight => weights.get(weight)!)
      const output = decoder(ops, layers, config, {
        embeddings: embedTokens(ops, layers, graph.input('tokenIds', [batch * length], 'int32')),
        cos: rotation[0]!,
        sin: rotation[1]!,
        attend: rowAttention(ops, config, { batch, length, mask }),
      })
      graph.output('logits', logits(layers, config, output.hidden))

      const attentionMask = await int32(cases!, 'attention_mask')
      const program = await compileGraph(executor, graph)
      const stored = await Promise.all(specs.map(async spec => [spec.name, await float32(model!, spec.name)] as const))
      const got = await program.run({
        ...Object.fromEntries(stored),
        ...rotaryTables(config, await int32(cases!, 'position_ids')),
        mask: paddedMask(attentionMask, batch, length),
        tokenIds: await int32(cases!, 'input_ids'),
      })
      const want = await float32(cases!, 'logits_valid_rows')
      const valid = [...attentionMask.keys()].filter(i => attentionMask[i] === 1)
      const width = config.vocabSize
      expect(want).toHaveLength(valid.length * width)
      let worst = 0
      valid.forEach((row, i) => {
        for (let v = 0; v < width; v++) {
          worst = Math.max(worst, Math.abs(Number(got.logits![row * width + v]) - want[i * width + v]!))
        }
      })
      expect(worst).toBeLessThan(1e-4)
    })
  },
)
