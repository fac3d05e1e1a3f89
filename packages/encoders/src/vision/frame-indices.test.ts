import { describe, expect, test } from 'vitest'
import { fixturePath, readJson } from '../../test/oracle-files.ts'
import { frameIndices } from './frame-indices.ts'

interface Case {
  total: number
  n: number
  qoq_indices: number[]
  linspace_rounded: number[]
  segment_centres: number[]
}
const { cases } = readJson(fixturePath('frames.json')) as { cases: Case[] }

describe('frameIndices', () => {
  test('picks the frames of the released code, of numpy and of equal parts', () => {
    expect(cases.length).toBeGreaterThan(30)
    for (const { total, n, qoq_indices, linspace_rounded, segment_centres } of cases) {
      expect(frameIndices(total, n), `${n} of ${total}`).toEqual(qoq_indices)
      expect(frameIndices(total, n, 'rounded'), `${n} of ${total}`).toEqual(linspace_rounded)
      expect(frameIndices(total, n, 'centres'), `${n} of ${total}`).toEqual(segment_centres)
    }
  })

  test('refuses an empty clip', () => {
    expect(() => frameIndices(0)).toThrow(expect.objectContaining({ code: 'ENCODERS_FRAMES_EMPTY' }))
  })
})
