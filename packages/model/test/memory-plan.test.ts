import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { sizeOf } from '@qoq-med/tensor'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { modelConfig } from '../src/checkpoint/model-config.ts'
import { writeSafetensors } from '../src/checkpoint/safetensors-writer.ts'
import { planMemory } from '../src/folder/memory-plan.ts'
import { policyParameterSpecs } from '../src/composition/policy-model.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('answer-once.ts', import.meta.url))

/** 214 million parameters, so that weights are more than the program. */
const json = {
  model_type: 'qwen2',
  hidden_size: 1024,
  num_hidden_layers: 12,
  num_attention_heads: 16,
  num_key_value_heads: 4,
  intermediate_size: 4096,
  vocab_size: 32_000,
  tie_word_embeddings: true,
}

let root: string
let parameters: ReturnType<typeof policyParameterSpecs>
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'memory-'))
  parameters = policyParameterSpecs(modelConfig(json))
  const random = Float32Array.from({ length: 2 ** 20 }, (_, i) => Math.sin(i * i) / 30)
  const tensors = parameters.map(({ name, shape }, at) => ({
    name,
    shape,
    dtype: 'BF16' as const,
    // Different values everywhere: the runtime keeps equal ones once.
    data: async () =>
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => random[(i * 7 + at * 1013) % random.length]!),
  }))
  await writeSafetensors(join(root, 'model.safetensors'), tensors)
  await writeFile(join(root, 'config.json'), JSON.stringify(json))
}, 120_000)
afterAll(() => rm(root, { recursive: true }))

test.for(['int4', 'int8'] as const)(
  'the plan in %s is within 15 %% of the measured peak',
  { timeout: 120_000 },
  async type => {
    const config = modelConfig(json)
    const plan = planMemory({ config, parameters }, { weightsType: type, context: 608 })
    const args = ['--conditions=@qoq-med/source', program, root, join(root, 'cache'), type]
    // The first start packs; the second is what serves.
    await run(process.execPath, args)
    const { stdout } = await run(process.execPath, args)
    const ratio = plan.total / Number(stdout.trim().split('\n').at(-1))
    expect(ratio).toBeGreaterThan(0.85)
    expect(ratio).toBeLessThan(1.15)
  },
)
