import { createOrtExecutor, type OrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { logprobPass } from '../src/learn/logprob-pass.ts'
import { accumulate, closeOracleFiles, objectives, textCase, visionCase, type OracleCase } from './oracle-cases.ts'
import { missingShared } from './oracle-folder.ts'

let executor: OrtExecutor
beforeAll(async () => {
  executor = await createOrtExecutor()
})
afterAll(async () => {
  await Promise.all([executor.close(), closeOracleFiles()])
})

const scored = ({ learner, batch }: OracleCase): Promise<Float32Array[]> =>
  learner.evaluate(logprobPass(batch.model), batch.sequences)

test('a learner with debug computes the same loss and gradients, and names what overflows', async () => {
  const [plain, debug] = [await textCase(executor), await textCase(executor, { debug: true })]
  expect(await accumulate(debug.learner, debug.batch, objectives.paper)).toBe(
    await accumulate(plain.learner, plain.batch, objectives.paper),
  )
  for (const { name } of plain.learner.store.parameters) {
    expect(debug.learner.store.gradient(name)).toEqual(plain.learner.store.gradient(name))
  }
  const before = debug.learner.store.gradient('model.norm.weight').slice()
  debug.learner.store.weights('model.layers.1.mlp.gate_proj.weight').fill(3e38)
  await expect(scored(debug)).rejects.toMatchObject({
    code: 'TENSOR_VALUE_NOT_FINITE',
    message: expect.stringMatching(
      /^The operation Gemm is the first .* model\.layers\.1\.mlp\.gate_proj\.weight \[\d+, \d+\] between 3e\+38 and 3e\+38\.$/,
    ),
  })
  await expect(accumulate(debug.learner, debug.batch, objectives.paper)).rejects.toThrow('gate_proj')
  expect(debug.learner.store.gradient('model.norm.weight')).toEqual(before)
  await Promise.all([plain.learner.close(), debug.learner.close()])
})

describe.skipIf(missingShared)(`a NaN in a vision-language model${missingShared ? `: ${missingShared}` : ''}`, () => {
  test.for([
    { weight: 'visual.blocks.1.mlp.down_proj.weight', op: 'Gemm' },
    { weight: 'visual.blocks.0.norm1.weight', op: 'RmsNorm' },
    { weight: 'visual.merger.mlp.0.bias', op: 'Gemm' },
    { weight: 'model.layers.2.self_attn.k_proj.weight', op: 'Gemm' },
    { weight: 'model.layers.1.input_layernorm.weight', op: 'RmsNorm' },
    { weight: 'lm_head.weight', op: 'TokenLogprobs' },
  ])('in $weight is found where it is read', async ({ weight, op }) => {
    const { learner, batch } = await visionCase(executor, { debug: true })
    const { name } = learner.store.parameters.find(each => each.name.endsWith(weight))!
    const { shape } = learner.store.parameters.find(each => each.name === name)!
    learner.store.weights(name)[shape.at(-1)! - 1] = Number.NaN
    const where = shape.length === 1 ? `[${shape[0]! - 1}]` : `[0, ${shape[1]! - 1}]`
    await expect(scored({ learner, batch })).rejects.toMatchObject({
      code: 'TENSOR_VALUE_NOT_FINITE',
      message: expect.stringMatching(new RegExp(`^The operation ${op} is the first .*`)),
    })
    await expect(scored({ learner, batch })).rejects.toThrow(`${name} [${shape.join(', ')}] with NaN at ${where}`)
    await learner.close()
  })

  test('is not there as it was trained, forward and backward', async () => {
    const { learner, batch } = await visionCase(executor, { debug: true })
    expect(await accumulate(learner, batch, objectives.paper)).toBeLessThan(1)
    await learner.close()
  })
})
