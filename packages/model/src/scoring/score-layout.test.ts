import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Encoded } from '../prompt/encoded.ts'
import { nanoDecoder } from '../composition/nano.ts'
import { divideRows, packRows } from './packed-rows.ts'
import type { ScoredSequence } from './scored-sequence.ts'
import { scoreLayout, type ScoreLayout } from './score-layout.ts'

interface Group {
  readonly prompt: number
  readonly completions: readonly number[]
}

/** Sequences as groups of prompt and completion lengths give them, the groups' members in turn. */
function sequencesOf(groups: readonly Group[]): ScoredSequence[] {
  const prompts = groups.map(({ prompt }) => ({ tokenIds: new Int32Array(prompt) }) as Encoded) // layouts read no more
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
const layoutOf = (made: readonly Group[], sharesPrompts = true): ScoreLayout =>
  scoreLayout({ ...nanoDecoder, vocabSize: 2048 }, sequencesOf(made), sharesPrompts)

/** What a graph is made for. */
const shapes = ({ tokens, inputs, prompts }: ScoreLayout): unknown => ({
  tokens,
  prompts: prompts.length,
  inputs: Object.entries(inputs).map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
})

describe('packing', () => {
  test('puts every completion into one lane of its prompt, none too full, and divides lanes evenly', () => {
    const [laneLength, perRow] = [fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 10 })]
    fc.assert(
      fc.property(groups, laneLength, perRow, (made, length, most) => {
        const sequences = sequencesOf(made)
        const rows = divideRows(packRows(sequences, length), most)
        const placed = rows.flatMap(({ lanes }) => lanes.flat())
        expect(placed.toSorted((a, b) => a - b)).toEqual([...sequences.keys()])
        for (const { prompt, lanes } of rows) {
          for (const sequence of lanes.flat()) expect(sequences[sequence]!.prompt).toBe(prompt)
          for (const lane of lanes) {
            const used = lane.reduce((sum, sequence) => sum + sequences[sequence]!.completion.length, 0)
            expect(used <= length || lane.length === 1).toBe(true)
          }
          const counts = rows.filter(row => row.prompt === prompt).map(row => row.lanes.length)
          expect(Math.max(...counts)).toBeLessThanOrEqual(Math.min(most, Math.min(...counts) + 1))
        }
      }),
    )
  })
})

describe('a layout', () => {
  test('keeps all tokens apart', () => {
    fc.assert(
      fc.property(groups, fc.boolean(), (made, sharesPrompts) => {
        const layout = layoutOf(made, sharesPrompts)
        const taken = new Set<number>()
        const take = (start: number, count: number): void => {
          for (let at = start; at < start + count; at++) {
            expect(taken.has(at)).toBe(false)
            taken.add(at)
          }
        }
        for (const { prompt, start } of layout.prompts) take(start, prompt.tokenIds.length)
        sequencesOf(made).forEach(({ completion }, i) => take(layout.completions[i]!.start, completion.length))
        expect(Math.max(...taken)).toBeLessThan(layout.tokens)
      }),
    )
  })

  test('with the key of another has its inputs and its number of tokens', () => {
    const known = new Map<string, unknown>()
    fc.assert(
      fc.property(groups, made => {
        const layout = layoutOf(made)
        if (!known.has(layout.key)) known.set(layout.key, shapes(layout))
        expect(shapes(layout)).toEqual(known.get(layout.key))
      }),
      { numRuns: 500 },
    )
    expect(known.size).toBeLessThan(200)
  })

  test.for([
    { name: 'rows where no two share a prompt', completions: [[30], [30]], key: '2x96' },
    { name: 'a prompt and a lane for each of its answers', completions: [[60, 60, 60, 60]], key: '1x64 4x64' },
    { name: 'short answers in one lane', completions: [[60, 20, 20, 20]], key: '1x64 2x64' },
    { name: 'a large group in four rows beside one of one', completions: [Array(8).fill(60), [60]], key: '5x64 2x64' },
  ])('has $name', ({ completions, key }) => {
    expect(layoutOf(completions.map(each => ({ prompt: 50, completions: each }))).key).toBe(key)
  })
})
