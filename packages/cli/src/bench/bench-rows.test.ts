import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { benchRows, groupOf, selectRows } from './bench-rows.ts'
import { measureNamed } from './measures.ts'

describe('the rows of the benchmark', () => {
  test('have names of their own, of a group and a rest', () => {
    expect(new Set(benchRows.map(({ name }) => name)).size).toBe(benchRows.length)
    for (const { name } of benchRows) expect(name).toMatch(/^[a-z-]+\/[a-z\d-]+$/)
  })

  test.for(benchRows)('$name has its measurement, its peer, and a target that can be judged', async row => {
    expect(await measureNamed(row.measure)).toBeTypeOf('function')
    const script = row.peer?.script ?? 'peer.py'
    expect(existsSync(new URL(`../../peers/${script}`, import.meta.url))).toBe(true)
    const needsPeer = row.target?.type === 'ratio' || row.memoryTarget !== undefined
    expect(row.peer !== undefined || !needsPeer).toBe(true)
    expect(row.unit).toMatch({ time: /^m?s$/, rate: /\/s$/, value: /./, memory: /^MB$/ }[row.figure])
  })
})

describe('selectRows', () => {
  test('takes groups and rows, in the order of the table', () => {
    expect(selectRows([])).toBe(benchRows)
    expect(selectRows(['rewards/step', 'drpo']).map(groupOf)).toEqual(['drpo', 'drpo', 'rewards'])
  })

  test.for([
    { typed: 'tensr', hint: 'Did you mean tensor?' },
    { typed: 'drpo/511', hint: 'Did you mean drpo/512?' },
    { typed: 'nothing like it', hint: 'Pass one of tensor, ' },
  ])('refuses $typed', ({ typed, hint }) => {
    expect(() => selectRows([typed])).toThrow(
      expect.objectContaining({ code: 'CLI_VALUE_INVALID', hint: expect.stringContaining(hint) }),
    )
  })
})

test('a measurement that is not there is refused', () => {
  expect(() => measureNamed('drop')).toThrow(expect.objectContaining({ hint: 'Did you mean drpo?' }))
})
