import { describe, expect, test } from 'vitest'
import { errorOf, runInProcess } from '../run-in-process.testing.ts'

const batch = {
  rewards: [1, 0, 0, 1, 0.5, 0.25],
  questionIds: ['a', 'a', 'b', 'b', 3, 3],
  domains: ['ecg', 'ecg', 'mri', 'mri', 'mri', 'mri'],
}

describe('qoq advantages', () => {
  test('answers one advantage per response of the batch', async () => {
    const argv = ['advantages', '--estimator', 'grpo', '--json']
    const { exitCode, stdout, stderr } = await runInProcess(argv, { stdin: JSON.stringify(batch) })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const answer: { advantages: number[] } = JSON.parse(stdout)
    expect(Object.keys(answer)).toEqual(['advantages'])
    // Two responses r1 > r2 of a question: (r - mean) / sample deviation = ±1 / sqrt(2), less the epsilon.
    const want = [1, -1, -1, 1, 1, -1].map(sign => sign * Math.SQRT1_2)
    want.forEach((value, index) => expect(answer.advantages[index]).toBeCloseTo(value, 4))
  })

  test('answers every stage when asked', async () => {
    const argv = ['advantages', '--estimator', 'drpo', '--stages', '--options', '{"restarts":2}', '--json']
    const { stdout } = await runInProcess(argv, { stdin: JSON.stringify(batch) })
    const { stages }: { stages: Record<string, unknown> } = JSON.parse(stdout)
    expect(stages).toMatchObject({ type: 'drpo', questionIds: ['a', 'b', 3], options: { restarts: 2 } })
    expect(stages['rewards']).toEqual(batch.rewards)
  })

  test('takes the demographic groups of patients', async () => {
    const argv = ['advantages', '--estimator', 'fair-grpo', '--stages', '--json']
    const stdin = JSON.stringify({ ...batch, demographics: ['F', 'F', 'M', 'M', '', ''] })
    const { stages } = JSON.parse((await runInProcess(argv, { stdin })).stdout)
    expect(stages.domains.map(({ groups }: { groups: { name: string }[] }) => groups.map(({ name }) => name))).toEqual([
      ['F'],
      ['M', 'cluster 1'],
    ])
  })

  test('takes a reward for every token', async () => {
    const [lengths, tokenRewards] = [
      [1, 2, 1, 1, 1, 1],
      [[1], [0.5, -0.5], [0], [0], [0], [0]],
    ]
    const argv = ['advantages', '--estimator', 'reinforce++', '--options', '{"whiten":false}', '--json']
    const stdin = JSON.stringify({ ...batch, lengths, tokenRewards })
    const { stdout } = await runInProcess(argv, { stdin })
    expect(JSON.parse(stdout)).toEqual({ advantages: [[1], [0, -0.5], [0], [0], [0], [0]] })
  })

  test('prints a table for people', async () => {
    const { stdout } = await runInProcess(['advantages', '--estimator', 'grpo'], { stdin: JSON.stringify(batch) })
    expect(stdout.split('\n')[0]).toMatch(/^question +domain +reward +advantage$/)
    expect(stdout.trim().split('\n')).toHaveLength(7)
  })

  test.for([
    { name: 'no input', stdin: '', code: 'CLI_INPUT_EMPTY', says: 'no batch of rewards on standard input' },
    { name: 'half a document', stdin: '{"rewards":[1', code: 'CLI_INPUT_NOT_JSON', says: 'Standard input is not JSON' },
    {
      name: 'a bare NaN',
      stdin: '{"rewards":[NaN]}',
      code: 'CLI_INPUT_NOT_JSON',
      says: 'the character N is unexpected',
    },
    {
      name: 'a reward that is no number',
      stdin: JSON.stringify({ ...batch, rewards: ['high', 0] }),
      code: 'DRPO_FIELD_INVALID',
      says: 'rewards[0] should be a number, but is a string.',
    },
    {
      name: 'a field that does not exist',
      stdin: JSON.stringify({ ...batch, klPenalty: [] }),
      code: 'DRPO_FIELD_UNKNOWN',
      says: 'no field klPenalty',
    },
    {
      name: 'a reward that is not finite, by name',
      stdin: JSON.stringify({ ...batch, rewards: [1, 0, 0, 'NaN', 0, 0] }),
      code: 'DRPO_VALUE_NOT_FINITE',
      says: 'rewards of response 3 (question b) is NaN',
    },
    {
      name: 'groups of different size',
      stdin: JSON.stringify({ ...batch, questionIds: ['a', 'a', 'b', 'b', 'b', 3] }),
      code: 'DRPO_GROUP_TOO_SMALL',
      says: '3',
    },
  ])('refuses $name', async ({ stdin, code, says }) => {
    const result = await runInProcess(['advantages', '--estimator', 'drpo', '--json'], { stdin })
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe(code)
    expect(errorOf(result).message).toContain(says)
  })

  test.for([
    { name: 'an unknown estimator', argv: ['--estimator', 'drop'], hint: 'Did you mean drpo?' },
    {
      name: 'an unknown option',
      argv: ['--estimator', 'drpo', '--options', '{"restart":1}'],
      hint: 'Did you mean restarts?',
    },
    {
      name: 'options that are no JSON',
      argv: ['--estimator', 'drpo', '--options', '{restarts:1}'],
      hint: 'JSON document',
    },
  ])('refuses $name with a hint', async ({ argv, hint }) => {
    const result = await runInProcess(['advantages', ...argv, '--json'], { stdin: JSON.stringify(batch) })
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).hint).toContain(hint)
  })
})
