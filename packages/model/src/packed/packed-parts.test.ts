import { describe, expect, test } from 'vitest'
import { modelConfig } from '../checkpoint/model-config.ts'
import { policyParameterSpecs } from '../composition/policy-model.ts'
import type { PackedEntry } from './packed-layout.ts'
import { packedParts, type PackedType } from './packed-parts.ts'

const config = modelConfig({
  model_type: 'qwen2',
  hidden_size: 96,
  num_hidden_layers: 1,
  num_attention_heads: 3,
  num_key_value_heads: 1,
  intermediate_size: 160,
  vocab_size: 320,
  tie_word_embeddings: false,
})
const parameters = policyParameterSpecs(config)
const part = (name: string): string => `model.layers.0.${name}_proj.weight`

function told({ kind, blockSize, values, scales }: PackedEntry) {
  return [kind, blockSize, values.lengthBytes, scales!.lengthBytes] // of what has scales
}

/** Kind, weights that share a scale, and bytes of codes and scales of matrices, by the first name of an entry. */
function layoutOf(type: PackedType, dtype?: string) {
  const stored = dtype === undefined ? undefined : new Map(parameters.map(({ name }) => [name, { dtype }]))
  const { entries } = packedParts({ config, parameters, stored }, type).decoder
  const matrices = [...entries.values()].filter(({ scales }) => scales)
  return Object.fromEntries(matrices.map(entry => [entry.names[0]!, told(entry)] as const)) // an entry has a name
}

describe('packedParts', () => {
  test('keeps gate and up in blocks of 128 in four bits, down of 64, attention of 32, values and head in eight bits', () => {
    // Rows of 96 are three blocks of 32 or one of 128, rows of 160 three of 64: the last of them partly empty.
    expect(layoutOf('int4')).toEqual({
      [part('self_attn.q')]: ['int4', 32, (96 + 32) * 48, (96 + 32) * 3 * 4],
      [part('self_attn.v')]: ['int8', 32, 32 * 96, 32 * 3 * 4],
      [part('self_attn.o')]: ['int4', 32, 96 * 48, 96 * 3 * 4],
      [part('mlp.gate')]: ['int4', 128, 160 * 64, 160 * 4],
      [part('mlp.up')]: ['int4', 128, 160 * 64, 160 * 4],
      [part('mlp.down')]: ['int4', 64, 96 * 96, 96 * 3 * 4],
      'lm_head.weight': ['int8', 32, 320 * 96, 320 * 3 * 4],
    })
  })

  test.for([
    { type: 'int8', dtype: undefined, kind: 'int8' },
    { type: 'stored', dtype: 'Q4_0', kind: 'int4' },
    { type: 'stored', dtype: 'Q8_0', kind: 'int8' },
  ] as const)('keeps all in blocks of 32 in $type $dtype', ({ type, dtype, kind }) => {
    for (const matrix of Object.values(layoutOf(type, dtype))) expect(matrix.slice(0, 2)).toEqual([kind, 32])
  })
})
