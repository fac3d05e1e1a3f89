import { createOrtExecutor, type OrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { largestDifference, readCases } from './oracle-cases.ts'
import { missingOracles, oracleFile } from './oracle-folder.ts'
import { answersOf, greedyError, rowOf, textPrompt, weightPlaces, withModel } from './parity.ts'

let executor: OrtExecutor
beforeAll(async () => {
  executor = await createOrtExecutor()
})
afterAll(() => executor.close())

const reason = missingOracles ? `: ${missingOracles}` : ''

describe.skipIf(missingOracles)(`text models match transformers${reason}`, () => {
  const names = ['qwen2_text_tiny', 'qwen2_text_tied', 'qwen2_text_sharded_bf16']
  const placed = weightPlaces.flatMap(place => names.map(name => ({ name, place })))
  test.for(placed)('$name $place, three prompts at once', async ({ name, place }) => {
    await withModel(executor, { folder: oracleFile(`models/${name}`), place }, async policy => {
      const cases = await readCases(`models/${name}_cases.safetensors`)
      const [rows, length] = cases.shape('input_ids') as [number, number]
      const mask = cases.int32('attention_mask')
      const prompts = Array.from({ length: rows }, (_, row) =>
        textPrompt(rowOf(cases.int32('input_ids'), row, rows).filter((_id, i) => mask[row * length + i] === 1)),
      )
      const maxNewTokens = cases.shape('greedy_ids')[1]!
      const requests = prompts.map(prompt => ({ prompt, temperature: 0, maxNewTokens }))
      const errors = (await answersOf(policy, requests)).map((completion, row) =>
        greedyError(completion, {
          ids: rowOf(cases.int32('greedy_ids'), row, rows),
          logprobs: rowOf(cases.float32('greedy_logprobs'), row, rows),
          margins: rowOf(cases.float32('greedy_margin'), row, rows),
        }),
      )
      expect(Math.max(...errors)).toBeLessThan(5e-5)
      const logits = (await policy.logits(prompts)).flatMap(row => [...row])
      expect(largestDifference(logits, cases.float32('logits_valid_rows'))).toBeLessThan(1e-4)
      const responses = cases.int32('response_ids')
      const sequences = prompts.map((prompt, row) => ({ prompt, completion: rowOf(responses, row, rows) }))
      for (const temperature of [1, 0.7]) {
        const scored = (await policy.logprobs(sequences, { temperature })).flatMap(row => [...row])
        const want = cases.float32(`response_logprobs_T${temperature.toFixed(1)}`)
        expect(largestDifference(scored, want)).toBeLessThan(5e-5)
      }
    })
  })
})
