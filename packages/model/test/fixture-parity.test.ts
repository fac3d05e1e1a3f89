import type { RgbImage } from '@qoq-med/encoders'
import { createOrtExecutor, type OrtExecutor } from '@qoq-med/tensor'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { largestDifference, readCases, type OracleCases } from './oracle-cases.ts'
import { answersOf, greedyError, openPolicy, rowOf, textPrompt } from './parity.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))

/** The small cases of the other parity tests, from files that are part of the repository. */
describe('the model matches transformers on the repository’s own copies', () => {
  let executor: OrtExecutor
  let cases: OracleCases
  beforeAll(async () => {
    executor = await createOrtExecutor()
    cases = await readCases(fixture('cases.safetensors'))
  })
  afterAll(() => executor.close())

  test('text: logits, greedy answers and log-probabilities of a sharded bfloat16 checkpoint', async () => {
    const policy = await openPolicy(executor, fixture('qwen2_text_sharded_bf16'))
    const [rows, length] = cases.shape('text/input_ids') as [number, number]
    const mask = cases.int32('text/attention_mask')
    const prompts = Array.from({ length: rows }, (_, row) =>
      textPrompt(rowOf(cases.int32('text/input_ids'), row, rows).filter((_id, i) => mask[row * length + i] === 1)),
    )
    const logits = (await policy.logits(prompts)).flatMap(each => [...each])
    const kept = Array.from({ length: 5 }, (_, i) => logits.slice(7 * i * 1376, (7 * i + 1) * 1376)).flat()
    expect(largestDifference(kept, cases.float32('text/logits_valid_rows'))).toBeLessThan(1e-4)
    const answers = await answersOf(
      policy,
      prompts.map(prompt => ({ prompt, temperature: 0, maxNewTokens: 30 })),
    )
    const errors = answers.map((answer, row) =>
      greedyError(answer, {
        ids: rowOf(cases.int32('text/greedy_ids'), row, rows),
        logprobs: rowOf(cases.float32('text/greedy_logprobs'), row, rows),
        margins: rowOf(cases.float32('text/greedy_margin'), row, rows),
      }),
    )
    expect(Math.max(...errors)).toBeLessThan(5e-5)
    const sequences = prompts.map((prompt, row) => ({
      prompt,
      completion: rowOf(cases.int32('text/response_ids'), row, rows),
    }))
    const scored = (await policy.logprobs(sequences)).flatMap(row => [...row])
    expect(largestDifference(scored, cases.float32('text/response_logprobs_T1.0'))).toBeLessThan(5e-5)
    await policy.close()
  })

  test('vision and language: tokens, positions and logits of a picture and a question', async () => {
    const policy = await openPolicy(executor, fixture('qwen25vl_tiny_hub_sharded_bf16'))
    const [height, width] = cases.shape('vision/image') as [number, number, number]
    const image: RgbImage = { height, width, data: cases.bytes('vision/image') }
    const content = [
      { type: 'image', image },
      { type: 'text', text: 'What is the diagnosis?' },
    ] as const
    const prompt = policy.model.encode([{ role: 'user', content }])
    expect([...prompt.tokenIds]).toEqual([...cases.int32('vision/input_ids')])
    expect([...prompt.positionIds]).toEqual([...cases.int32('vision/position_ids')])
    const [logits] = await policy.logits([prompt])
    const rows = cases.shape('vision/logits')[0]!
    const kept = Array.from({ length: rows }, (_, i) => [...logits!.subarray(8 * i * 1376, (8 * i + 1) * 1376)]).flat()
    expect(largestDifference(kept, cases.float32('vision/logits'))).toBeLessThan(1e-4)
    await policy.close()
  })
})
