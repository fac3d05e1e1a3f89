import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buildIndex, openDataset, synthesise, type Sample } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, runInProcess } from '../run-in-process.testing.ts'

let cwd = ''
let samples: readonly Sample[] = []
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-query-'))
  const root = path.join(cwd, 'clinic')
  await synthesise({ dir: root, seed: 9, size: 40, domains: ['ct'] })
  samples = (await openDataset('mini_clinic_ct', { root })).samples
  await buildIndex('mini_clinic_ct', { root, out: path.join(cwd, 'ct.parquet'), shards: 2, workers: 0 })
})
afterAll(() => rm(cwd, { recursive: true, force: true }))

const shards = ['0', '1'].flatMap(i => ['--index', `ct-0000${i}-of-00002.parquet`])
const query = (sql: string, ...argv: string[]) => runInProcess(['data', 'query', sql, ...argv], { cwd })

describe('qoq data query', () => {
  test('counts what the samples count, one JSON line a row', async () => {
    const { exitCode, stdout } = await query(
      'SELECT split, count(*) AS n FROM samples GROUP BY split ORDER BY split',
      ...shards,
      '--json',
    )
    const counts = ['test', 'train', 'valid'].map(split => ({
      split,
      n: samples.filter(sample => sample.split === split).length,
    }))
    expect(exitCode).toBe(0)
    expect(
      stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
    ).toEqual(counts.filter(({ n }) => n > 0))
  })

  test('prints a table for people, lists in one cell', async () => {
    const { stdout } = await query('SELECT id, labels FROM samples ORDER BY id LIMIT 1', ...shards)
    expect(stdout).toMatch(/^id +labels\n/)
    expect(stdout).toContain(samples[0]!.labels.join(', '))
    expect((await query('SELECT id FROM samples WHERE false', ...shards)).stdout).toBe('No rows.\n')
  })

  test.for([
    { name: 'no index', sql: 'SELECT 1', argv: [], code: 'CLI_ARGUMENT_MISSING' },
    {
      name: 'a column that is not there',
      sql: 'SELECT patient FROM samples',
      argv: shards,
      code: 'DATA_QUERY_INVALID',
    },
    {
      name: 'an index that is not there',
      sql: 'SELECT 1',
      argv: ['--index', 'no.parquet'],
      code: 'DATA_QUERY_INVALID',
    },
    {
      name: 'another file',
      sql: "SELECT * FROM read_text('clinic/clinic.json')",
      argv: shards,
      code: 'DATA_QUERY_INVALID',
    },
  ])('refuses $name', async ({ sql, argv, code }) => {
    const result = await query(sql, ...argv, '--json')
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe(code)
  })
})
