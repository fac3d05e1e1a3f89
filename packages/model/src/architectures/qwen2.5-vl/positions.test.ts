import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type GridThw, mropePositions, type MropePositions } from './positions.ts'

interface Wanted {
  readonly position_ids: number[][]
  readonly rope_delta: number
}
interface Case {
  readonly token_types: number[]
  readonly image_grid_thw: GridThw[]
  readonly video_grid_thw: GridThw[]
  readonly second_per_grid_ts: number[]
  readonly tokens_per_second: number
  readonly hf5: Wanted
  readonly legacy: Wanted
}
const url = new URL('../../../fixtures/mrope_positions.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(url, 'utf8')) as { cases: Case[] } // our own fixture

const positions = (from: Case, rule: 'legacy' | 'hf5'): MropePositions =>
  mropePositions(from.token_types, {
    imageGrids: from.image_grid_thw,
    videoGrids: from.video_grid_thw,
    secondsPerGrid: from.second_per_grid_ts,
    tokensPerSecond: from.tokens_per_second,
    rule,
  })

describe('mropePositions', () => {
  test.for(cases.map((from, number) => ({ number, from })))('equals the oracle, case $number', ({ from }) => {
    for (const rule of ['legacy', 'hf5'] as const) {
      const got = positions(from, rule)
      expect([...got.positionIds]).toEqual(from[rule].position_ids.flat())
      expect(got.ropeDelta).toBe(from[rule].rope_delta)
    }
  })

  test('numbers plain text by 0, 1, 2 on all axes', () => {
    expect([...mropePositions([0, 0, 0]).positionIds]).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2])
  })

  test.for([
    { name: 'a block without a grid', types: [0, 1], imageGrids: [] as GridThw[] },
    { name: 'a grid without a block', types: [0], imageGrids: [[1, 2, 2]] as GridThw[] },
    { name: 'a block that is too short', types: [1, 0], imageGrids: [[1, 4, 2]] as GridThw[] },
  ])('refuses $name', ({ types, imageGrids }) => {
    expect(() => mropePositions(types, { imageGrids })).toThrow(
      expect.objectContaining({ code: 'MODEL_GRID_MISMATCH' }),
    )
  })
})
