import { createOrtExecutor } from '@qoq-med/tensor'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { answersOf, openPolicy } from './parity.ts'

interface Case {
  readonly prompt: string
  readonly prompt_ids: number[]
  readonly greedy_ids: number[]
  readonly margins: number[]
}
const url = new URL('../fixtures/smollm2/reference.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(url, 'utf8')) as { cases: Case[] } // our own fixture
const file = process.env['QOQ_SMOLLM2']
const reason = file === undefined ? ': set QOQ_SMOLLM2 to the GGUF file (fixtures/smollm2/make-reference.py)' : ''

describe.skipIf(file === undefined)(`SmolLM2-135M from GGUF answers as transformers${reason}`, () => {
  test(`${cases.length} prompts, token by token`, { timeout: 300_000 }, async () => {
    const executor = await createOrtExecutor()
    const policy = await openPolicy(executor, file!) // skipped without it
    const prompts = cases.map(({ prompt }) => policy.model.encode([{ role: 'user', content: prompt }]))
    expect(prompts.map(prompt => [...prompt.tokenIds])).toEqual(cases.map(each => each.prompt_ids))
    const requests = prompts.map(prompt => ({ prompt, temperature: 0, maxNewTokens: 24 }))
    const answers = await answersOf(policy, requests)
    // A token may differ where the reference itself was not sure: a margin of 1e-3 or less.
    const sure = cases.map(({ margins }) => margins.findIndex(margin => margin <= 1e-3)).map(at => (at < 0 ? 24 : at))
    const upTo = (ids: ArrayLike<number>, i: number): number[] => Array.from(ids).slice(0, sure[i])
    expect(answers.map((answer, i) => upTo(answer.tokenIds, i))).toEqual(
      cases.map((each, i) => upTo(each.greedy_ids, i)),
    )
    await policy.close()
    await executor.close()
  })
})
