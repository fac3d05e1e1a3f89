import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Encoded } from '../prompt/encoded.ts'
import { packForLeastWork, packRows, type PackedRow } from './packed-rows.ts'
import type { ScoredSequence } from './score-batch.ts'

/** Sequences as groups of prompt and completion lengths give them, the groups' members in turn. */
function sequencesOf(groups: readonly { readonly prompt: number; readonly completions: readonly number[] }[]) {
  const prompts = groups.map(({ prompt }) => ({ tokenIds: new Int32Array(prompt) }) as Encoded) // packing reads no more
  const longest = Math.max(...groups.map(({ completions }) => completions.length))
  return Array.from({ length: longest }, (_, turn) => turn).flatMap(turn =>
    groups.flatMap(({ completions }, group): ScoredSequence[] =>
      turn < completions.length ? [{ prompt: prompts[group]!, completion: new Int32Array(completions[turn]!) }] : [],
    ),
  )
}

const length = fc.integer({ min: 1, max: 60 })
const groups = fc.array(fc.record({ prompt: length, completions: fc.array(length, { minLength: 1, maxLength: 9 }) }), {
  minLength: 1,
  maxLength: 4,
})

/** Tokens of rows that are padded to the longest, and what attention costs. */
const workOf = (rows: readonly PackedRow[]): number => {
  const longest = Math.max(...rows.map(row => row.length))
  return rows.length * longest * (50 + longest)
}

describe('packing', () => {
  test('places every sequence once, after its prompt and one after the other, in rows of about equal numbers', () => {
    fc.assert(
      fc.property(groups, fc.integer({ min: 1, max: 10 }), (made, perRow) => {
        const sequences = sequencesOf(made)
        const rows = packRows(sequences, perRow)
        expect(
          rows.flatMap(({ members }) => members.map(({ sequence }) => sequence)).toSorted((a, b) => a - b),
        ).toEqual([...sequences.keys()])
        for (const { prompt, members, length: used } of rows) {
          let end = prompt.tokenIds.length
          for (const { sequence, start } of members) {
            expect(sequences[sequence]!.prompt).toBe(prompt)
            expect(start).toBe(end)
            end += sequences[sequence]!.completion.length
          }
          expect(used).toBe(end)
          const counts = rows.filter(row => row.prompt === prompt).map(row => row.members.length)
          expect(Math.max(...counts)).toBeLessThanOrEqual(Math.min(perRow, Math.min(...counts) + 1))
        }
      }),
    )
  })

  test('takes no more work than any number of completions per row does', () => {
    fc.assert(
      fc.property(groups, fc.integer({ min: 1, max: 10 }), (made, perRow) => {
        const sequences = sequencesOf(made)
        expect(workOf(packForLeastWork(sequences, workOf))).toBeLessThanOrEqual(workOf(packRows(sequences, perRow)))
      }),
    )
  })

  test.for([
    { name: 'long prompts are computed once', prompt: 200, rows: 1 },
    { name: 'short prompts are computed again rather than attend over all completions', prompt: 10, rows: 4 },
  ])('$name', ({ prompt, rows }) => {
    const sequences = sequencesOf([{ prompt, completions: [30, 30, 30, 30] }])
    expect(packForLeastWork(sequences, workOf)).toHaveLength(rows)
  })
})
