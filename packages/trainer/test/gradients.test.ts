import { readFile } from 'node:fs/promises'
import { createOrtExecutor, type OrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Learner } from '../src/learn/learner.ts'
import { logprobPass } from '../src/learn/logprob-pass.ts'
import { sftObjective } from '../src/learn/sft-objective.ts'
import {
  accumulate,
  closeOracleFiles,
  float32,
  objectives,
  open,
  textCase,
  visionCase,
  worstGradient,
} from './oracle-cases.ts'
import { missingShared, oracleFile } from './oracle-folder.ts'

let executor: OrtExecutor
beforeAll(async () => {
  executor = await createOrtExecutor()
})
afterAll(async () => {
  await Promise.all([executor.close(), closeOracleFiles()])
})

test('the gradient of a small model and its weights after three steps of AdamW match PyTorch in float64', async () => {
  const { learner, batch } = await textCase(executor)
  // grads.json, cases.text_tied
  expect(Math.abs((await accumulate(learner, batch, objectives.paper, 4)) - 0.08574980776155973)).toBeLessThan(1e-5)
  const worst = await worstGradient(learner, 'grads/text_tied_grads_paper.safetensors')
  expect(worst).toMatchObject({ error: expect.closeTo(0, 4) })
  learner.update(1e-3)
  for (const want of [0.02358886057093021, -0.000573005360817419]) {
    expect(Math.abs((await accumulate(learner, batch, objectives.paper, 4)) - want)).toBeLessThan(1e-4)
    learner.update(1e-3)
  }
  await expectWeights(learner, 'grads/text_tied_weights_after_3.safetensors')
  await learner.close()
})

describe.skipIf(missingShared)(
  `gradients of a whole model match PyTorch in float64${missingShared ? `: ${missingShared}` : ''}`,
  () => {
    const cases = { text_tied: textCase, vl: visionCase }
    test.for([
      { model: 'text_tied', loss: 'paper', options: objectives.paper },
      { model: 'text_tied', loss: 'repo', options: objectives.repo },
      { model: 'vl', loss: 'paper', options: objectives.paper },
      { model: 'vl', loss: 'repo', options: objectives.repo },
    ] as const)('$model, the objective of the $loss', async ({ model, loss, options }) => {
      const facts = JSON.parse(await readFile(oracleFile('grads/grads.json'), 'utf8')).cases[model][loss]
      const { learner, batch } = await cases[model](executor)
      expect(Math.abs((await accumulate(learner, batch, options)) - facts.loss)).toBeLessThan(1e-5)
      const worst = await worstGradient(learner, `grads/${model}_grads_${loss}.safetensors`)
      expect(worst).toMatchObject({ error: expect.closeTo(0, 4) })
      await learner.close()
    })

    test('text_tied, supervised fine-tuning', async () => {
      const { learner, batch } = await textCase(executor)
      const total = batch.sequences.reduce((sum, { completion }) => sum + completion.length, 0)
      const items = batch.sequences.map(sequence => ({ ...sequence, tokenWeight: 1 / total }))
      const loss = await learner.accumulate(sftObjective(batch.model), items)
      expect(Math.abs(loss - 9.184772167555243)).toBeLessThan(1e-5)
      const worst = await worstGradient(learner, 'grads/text_tied_grads_sft.safetensors')
      expect(worst).toMatchObject({ error: expect.closeTo(0, 4) })
      await learner.close()
    })

    test.for(['text_tied', 'vl'] as const)('%s, weights after three steps of AdamW', async model => {
      const { learner, batch } = await cases[model](executor)
      const facts = JSON.parse(await readFile(oracleFile('grads/grads.json'), 'utf8')).cases[model].adamw
      for (let step = 1; step <= 3; step++) {
        const loss = await accumulate(learner, batch, objectives.paper, 4)
        expect(Math.abs(loss - facts[step - 1].loss_before)).toBeLessThan(step === 1 ? 1e-5 : 1e-4)
        const { gradientNorm } = learner.update(1e-3)
        expect(gradientNorm / facts[step - 1].grad_norm_before_clip).toBeCloseTo(1, 3)
        if (step !== 2) await expectWeights(learner, `grads/${model}_weights_after_${step}.safetensors`)
      }
      const file = await open(`grads/${model}_batch.safetensors`)
      const want = await float32(file, 'log_probs_after_3')
      const scores = await learner.evaluate(logprobPass(batch.model), batch.sequences)
      scores.forEach((logprobs, row) => {
        logprobs.forEach((value, i) => expect(Math.abs(value - want[row * 9 + i]!)).toBeLessThan(1e-4))
      })
      await learner.close()
    })
  },
)

/** 99.9 % of all entries within 2e-6 and every one within 5e-5 (what the oracles were made to). */
async function expectWeights(learner: Learner, path: string): Promise<void> {
  const file = await open(path)
  let [count, far, worst] = [0, 0, 0]
  for (const { name } of learner.store.parameters) {
    const [got, want] = [learner.store.weights(name), await float32(file, name)]
    want.forEach((value, i) => {
      const error = Math.abs(got[i]! - value)
      count++
      if (error > 2e-6) far++
      worst = Math.max(worst, error)
    })
  }
  expect(far / count).toBeLessThan(1e-3)
  expect(worst).toBeLessThan(5e-5)
}
