import { readFile } from 'node:fs/promises'
import { createTfjsExecutor, type TfjsBackend } from '@qoq-med/tensor'
import { afterAll, describe, expect, test } from 'vitest'
import { accumulate, closeOracleFiles, objectives, textCase, visionCase, worstGradient } from './oracle-cases.ts'
import { missingShared, oracleFile } from './oracle-folder.ts'

afterAll(closeOracleFiles)

/** Loss and worst relative error of a gradient, forward and backward in TensorFlow.js. */
async function step(
  backend: TfjsBackend,
  oracleCase: typeof textCase,
  objective: keyof typeof objectives,
  gradients: string,
): Promise<{ loss: number; worst: { error: number; name: string } }> {
  const executor = await createTfjsExecutor({ backend })
  const { learner, batch } = await oracleCase(executor)
  const loss = await accumulate(learner, batch, objectives[objective], 4)
  const worst = await worstGradient(learner, gradients)
  await learner.close()
  await executor.close()
  return { loss, worst }
}

describe('loss and gradients in TensorFlow.js match PyTorch in float64', () => {
  test.for(['wasm', 'js'] as const)('for a small text model on %s', async backend => {
    const { loss, worst } = await step(backend, textCase, 'paper', 'grads/text_tied_grads_paper.safetensors')
    expect(Math.abs(loss - 0.08574980776155973)).toBeLessThan(1e-4) // grads.json, cases.text_tied
    expect(worst.error, `in ${worst.name}`).toBeLessThan(1e-4)
  })

  // Plain JavaScript takes 20 s for each of these; test/tfjs-parity.test.ts of tensor compares its operations.
  test.skipIf(missingShared).for([
    { model: 'text_tied', objective: 'repo', oracleCase: textCase },
    { model: 'vl', objective: 'paper', oracleCase: visionCase },
    { model: 'vl', objective: 'repo', oracleCase: visionCase },
  ] as const)(
    `for $model on wasm, the objective of the $objective${missingShared ? `: ${missingShared}` : ''}`,
    async ({ model, objective, oracleCase }) => {
      const facts = JSON.parse(await readFile(oracleFile('grads/grads.json'), 'utf8')).cases[model][objective]
      const { loss, worst } = await step('wasm', oracleCase, objective, `grads/${model}_grads_${objective}.safetensors`)
      expect(Math.abs(loss - facts.loss)).toBeLessThan(1e-4)
      expect(worst.error, `in ${worst.name}`).toBeLessThan(1e-4)
    },
  )
})
