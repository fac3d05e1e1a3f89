import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Encoded } from '../prompt/encoded.ts'
import { nanoDecoder } from './nano.ts'
import { packForLeastWork, packRows, type PackedRow } from './packed-rows.ts'
import type { ScoredSequence } from './score-batch.ts'
import { scoreLayout } from './score-layout.ts'

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

const groups = fc.array(
  fc.record({
    prompt: fc.integer({ min: 1, max: 60 }),
    completions: fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 9 }),
  }),
  { minLength: 1, maxLength: 4 },
)
const perRow = fc.integer({ min: 1, max: 10 })
const layoutOf = (sequences: readonly ScoredSequence[], rows: readonly PackedRow[]) =>
  scoreLayout({ ...nanoDecoder, vocabSize: 2048 }, sequences, rows)

describe('packing', () => {
  test('places every sequence once, in rows of about equal numbers', () => {
    fc.assert(
      fc.property(groups, perRow, (made, most) => {
        const sequences = sequencesOf(made)
        const rows = packRows(sequences, most)
        expect(rows.flatMap(({ members }) => members).toSorted((a, b) => a - b)).toEqual([...sequences.keys()])
        for (const { prompt, members } of rows) {
          for (const sequence of members) expect(sequences[sequence]!.prompt).toBe(prompt)
          const counts = rows.filter(row => row.prompt === prompt).map(row => row.members.length)
          expect(Math.max(...counts)).toBeLessThanOrEqual(Math.min(most, Math.min(...counts) + 1))
        }
      }),
    )
  })

  test('lays all tokens out apart from each other', () => {
    fc.assert(
      fc.property(groups, perRow, (made, most) => {
        const sequences = sequencesOf(made)
        const rows = packRows(sequences, most)
        const layout = layoutOf(sequences, rows)
        const taken = new Set<number>()
        const take = (start: number, count: number): void => {
          for (let at = start; at < start + count; at++) {
            expect(taken.has(at)).toBe(false)
            taken.add(at)
          }
        }
        rows.forEach(({ prompt, members }, row) => {
          take(layout.promptStart(row), prompt.tokenIds.length)
          members.forEach((sequence, member) =>
            take(layout.completionStart(row, member), sequences[sequence]!.completion.length),
          )
        })
        expect(Math.max(...taken)).toBeLessThan(layout.tokens)
      }),
    )
  })

  test('takes no more work than any number of completions per row does', () => {
    fc.assert(
      fc.property(groups, perRow, (made, most) => {
        const sequences = sequencesOf(made)
        const workOf = (rows: readonly PackedRow[]): number => layoutOf(sequences, rows).work
        expect(workOf(packForLeastWork(sequences, workOf))).toBeLessThanOrEqual(workOf(packRows(sequences, most)))
      }),
    )
  })

  test.for([
    { name: 'a group shares one row', made: [{ prompt: 40, completions: [30, 30, 30, 30] }], rows: 1 },
    {
      name: 'a group of one beside a large one leaves few places empty',
      made: [
        { prompt: 8, completions: Array.from({ length: 8 }, () => 60) },
        { prompt: 8, completions: [60] },
      ],
      rows: 5,
    },
  ])('$name', ({ made, rows }) => {
    const sequences = sequencesOf(made)
    expect(packForLeastWork(sequences, packed => layoutOf(sequences, packed).work)).toHaveLength(rows)
  })
})
