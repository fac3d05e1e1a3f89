import { describe, expect, test } from 'vitest'
import {
  fullTables,
  fullTableRows,
  paperClaims,
  reproduceTables,
  table2,
  table3,
  table4,
  tableColumns,
} from '../index.ts'

describe('the paper beside itself', () => {
  test('tables are whole: 26 datasets, 8 domains and the overall row in each', () => {
    expect(fullTables.map(({ table }) => table)).toEqual([6, 7, 8, 9, 10, 11, 12])
    for (const { lines } of fullTables) {
      const rows = fullTableRows(lines)
      expect(rows).toHaveLength(35)
      expect(
        rows.every(row => Object.values(row).every(value => typeof value === 'string' || (value >= 0 && value <= 1))),
      ).toBe(true)
    }
    for (const { accuracy, f1 } of [...table2, ...table4])
      expect([accuracy.length, f1.length]).toEqual([tableColumns.length, tableColumns.length])
    expect(table3).toHaveLength(5)
  })

  test('every mean of tables 6-12, and their rows of tables 2 and 4, come out of the datasets', () => {
    const checks = reproduceTables()
    // 7 tables with 9 means of 6 measures, and 7 rows with 18 cells.
    expect(checks).toHaveLength(7 * 9 * 6 + 7 * 18)
    expect(checks.filter(({ agrees }) => !agrees)).toEqual([])
  })

  test('a digit that does not fit is found, in its own table and in table 2', () => {
    const tampered = fullTables.map(table =>
      table.method === 'GRPO'
        ? { ...table, lines: table.lines.replace('CT/RSPECT 0.5556', 'CT/RSPECT 0.5656') }
        : table,
    )
    const wrong = reproduceTables(tampered).filter(({ agrees }) => !agrees)
    expect(wrong.map(({ place }) => place)).toEqual([
      'table 8, GRPO, CT, accuracy',
      'table 8, GRPO, Overall, accuracy',
      'table 2, GRPO, ct, accuracy',
    ])
  })

  test('sentences that the tables do not bear out are named', () => {
    const claims = paperClaims()
    const of = (start: string) => claims.find(({ claim }) => claim.startsWith(start))
    expect(of('DRPO is best in F1')).toMatchObject({ agrees: false, tables: expect.stringMatching(/^6 of 8/) })
    expect(of('F1 gains 43 %')).toMatchObject({ agrees: false, tables: '22.2 % over PPO; 43.0 % over GRPO' })
    expect(of('accuracy is 6.1')).toMatchObject({ agrees: false, tables: '2.1 over PPO, the best; 6.1 over SFT' })
    expect(of('F1 gains 10.4 %')).toMatchObject({ agrees: true })
  })
})
