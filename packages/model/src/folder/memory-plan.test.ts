import { describe, expect, test } from 'vitest'
import { modelConfig } from '../checkpoint/model-config.ts'
import { policyParameterSpecs } from '../composition/policy-model.ts'
import { planMemory, requireMemory, weightsTypeFor, type MemoryPlanOptions } from './memory-plan.ts'

/** A model in the shapes of Qwen2.5-VL-7B. */
function sevenBillion() {
  const config = modelConfig({
    model_type: 'qwen2_5_vl',
    hidden_size: 3584,
    num_hidden_layers: 28,
    num_attention_heads: 28,
    num_key_value_heads: 4,
    intermediate_size: 18_944,
    vocab_size: 152_064,
    rope_scaling: { type: 'mrope', mrope_section: [16, 24, 24] },
    vision_config: { out_hidden_size: 3584 },
  })
  return { name: '7b', config, parameters: policyParameterSpecs(config) }
}

describe('planMemory', () => {
  test('counts the keys and values of every token of every sequence', () => {
    // 28 layers of keys and values, 4 heads of 128 numbers of 4 bytes
    const perToken = 28 * 2 * 4 * 128 * 4
    const options = { weightsType: 'int4', context: 8192, batch: 4 } as const
    // Four that are answered, and the last prompt's own.
    expect(planMemory(sevenBillion(), options).cache).toBe(5 * 8192 * perToken)
    expect(planMemory(sevenBillion(), { ...options, cacheType: 'float16' }).cache).toBe((5 * 8192 * perToken) / 2)
    // A byte for each number and four for each 32.
    expect(planMemory(sevenBillion(), { ...options, cacheType: 'int8' }).cache).toBe(5 * 8192 * perToken * (36 / 128))
  })

  test('is less the fewer bits there are, and more for longer contexts and larger batches', () => {
    const [int4, int8, float32] = (['int4', 'int8', 'float32'] as const).map(weightsType => total({ weightsType })) as [
      number,
      number,
      number,
    ] // three in
    expect(int4 < int8 && int8 < float32).toBe(true)
    expect(total({ weightsType: 'int4', context: 8192 })).toBeGreaterThan(int4)
    expect(total({ weightsType: 'int4', batch: 8 })).toBeGreaterThan(int4)
  })
})

describe('requireMemory', () => {
  test('says what is needed and which type fits', () => {
    const room = planMemory(sevenBillion(), { weightsType: 'int4' }).total + 1
    expect(() => requireMemory(sevenBillion(), { weightsType: 'int8' }, room)).toThrow(
      expect.objectContaining({
        code: 'MODEL_MEMORY_SHORT',
        message: expect.stringMatching(/^7b in int8 takes \d+\.\d GB \(weights .*\), but \d+\.\d GB are free\.$/),
        hint: 'Use --weights int4, or free memory.',
      }),
    )
  })

  test('says how much context fits where that is what is too much', () => {
    const room = planMemory(sevenBillion(), { weightsType: 'int4', context: 100_000 }).total * 0.9
    expect(() => requireMemory(sevenBillion(), { weightsType: 'int4', context: 100_000 }, room)).toThrow(
      expect.objectContaining({
        hint: expect.stringMatching(/^Use --weights int4 and a context of \d+, or free memory\.$/),
      }),
    )
  })

  test('says the least where nothing fits', () => {
    expect(() => requireMemory(sevenBillion(), { weightsType: 'int4' }, 1e9)).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/^It takes \d+\.\d GB at least/) }),
    )
  })
})

describe('weightsTypeFor', () => {
  test.for([
    { memory: 256e9, want: 'float32' },
    { memory: 64e9, want: 'int8' },
    { memory: 24e9, want: 'int4' },
    { memory: 1e9, want: 'int4' },
  ])('chooses $want for 7 B in $memory bytes', ({ memory, want }) => {
    expect(weightsTypeFor(sevenBillion(), {}, memory)).toBe(want)
  })
})

function total(options: MemoryPlanOptions): number {
  return planMemory(sevenBillion(), options).total
}
