import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { encodeWfdb, listDatasets, openDataset, readJsonl, synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, runInProcess } from '../run-in-process.testing.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-data-'))
  const signals = [{ name: 'I', gain: 100, digital: Int16Array.from([1, 2, 3, 400]) }]
  const { hea, dat } = encodeWfdb({ record: 'r', samplingRateHz: 250, signals })
  await writeFile(path.join(folder, 'r.hea'), hea)
  await writeFile(path.join(folder, 'r.dat'), dat)
  await writeFile(path.join(folder, 'cut.hea'), hea.replaceAll('r.dat', 'cut.dat').replace(/^r /, 'cut '))
  await writeFile(path.join(folder, 'cut.dat'), dat.subarray(0, 5))
  await writeFile(path.join(folder, 'notes.txt'), 'hello')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('qoq data list and info', () => {
  test('list every dataset, one JSON line each', async () => {
    const { stdout } = await runInProcess(['data', 'list', '--json'])
    const ids = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).id)
    expect(ids).toEqual(listDatasets().map(({ id }) => id))
  })

  test('say what is known about one', async () => {
    const { stdout } = await runInProcess(['data', 'info', 'ptb_xl', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      id: 'ptb_xl',
      domain: 'ecg',
      access: 'open',
      get: '`qoq data download ptb_xl --root DIR`',
    })
    expect((await runInProcess(['data', 'info', 'ptb_xl'])).stdout).toMatch(/^licence +CC BY 4\.0$/m)
  })

  test('suggest the nearest id', async () => {
    const result = await runInProcess(['data', 'info', 'ptbxl', '--json'])
    expect(result.exitCode).toBe(2)
    expect(errorOf(result)).toMatchObject({ code: 'DATA_DATASET_UNKNOWN', hint: 'Did you mean "ptb_xl"?' })
  })
})

describe('qoq data inspect', () => {
  test('answers the report of the contract for a path relative to the folder', async () => {
    const { exitCode, stdout } = await runInProcess(['data', 'inspect', 'r.hea', '--json'], { cwd: folder })
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      format: 'wfdb',
      shape: [4, 1],
      dtype: 'int32',
      channels: ['I'],
      fs: 250,
      units: ['mV'],
      first: [1, 2, 3, 400],
      min: 1,
      max: 400,
      mean: 101.5,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      sha256Physical: expect.stringMatching(/^[0-9a-f]{64}$/),
      warnings: [],
    })
    expect((await runInProcess(['data', 'inspect', 'r.hea'], { cwd: folder })).stdout).toMatch(
      /^samples per second +250$/m,
    )
  })

  test.for([
    { name: 'a truncated record', file: 'cut.hea', code: 'WFDB_TRUNCATED', says: 'cut.dat' },
    { name: 'a missing file', file: 'absent.hea', code: 'DATA_INPUT_MISSING', says: 'absent.hea' },
    { name: 'a file of unknown format', file: 'notes.txt', code: 'DATA_FORMAT_UNKNOWN', says: 'notes.txt' },
  ])('refuses $name in one sentence', async ({ file, code, says }) => {
    const result = await runInProcess(['data', 'inspect', file, '--json'], { cwd: folder })
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe(code)
    expect(errorOf(result).message).toContain(says)
    expect(errorOf(result).message).not.toContain('\n')
    expect(errorOf(result).hint).not.toBe('')
  })
})

describe('qoq data build', () => {
  test('writes questions and answers, of one part where asked', async () => {
    await synthesise({ dir: path.join(folder, 'made'), seed: 2, size: 20, domains: ['mri'] })
    const argv = ['data', 'build', 'mini_clinic_mri', '--root', 'made', '--out', 'qa/test.jsonl', '--json']
    const { exitCode, stdout } = await runInProcess([...argv, '--split', 'test'], { cwd: folder })
    expect(exitCode).toBe(0)
    const { out, samples, rows } = JSON.parse(stdout)
    expect(rows).toBe(20)
    const written: unknown[] = []
    for await (const row of readJsonl(out)) written.push(row)
    expect(written).toHaveLength(samples)
    expect(written[0]).toMatchObject({ problem: expect.stringContaining('<image>'), answer: expect.any(String) })
    expect(await readdir(path.join(folder, 'qa'))).toEqual(['test.jsonl'])
  })

  test('writes shards of an index, the same with and without threads', async () => {
    const argv = ['data', 'build', 'mini_clinic_mri', '--root', 'made', '--shards', '2', '--json']
    const alone = await runInProcess([...argv, '--out', 'a/x.parquet', '--workers', '0'], { cwd: folder })
    const threads = await runInProcess([...argv, '--out', 'b/x.parquet', '--workers', '1'], { cwd: folder })
    expect([alone.exitCode, threads.exitCode]).toEqual([0, 0])
    const names = await readdir(path.join(folder, 'a'))
    expect(names).toHaveLength(4)
    for (const name of names)
      expect(await readFile(path.join(folder, 'b', name))).toEqual(await readFile(path.join(folder, 'a', name)))
  })

  test('refuses a folder without the dataset and writes nothing', async () => {
    const argv = ['data', 'build', 'georgia', '--root', '.', '--out', 'none/x.jsonl', '--json']
    await rm(path.join(folder, 'none'), { recursive: true, force: true })
    const result = await runInProcess(argv, { cwd: path.join(folder, 'qa') })
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe('DATA_ROOT_NOT_FOUND')
    expect(await readdir(path.join(folder, 'qa'))).toEqual(['test.jsonl'])
  })
})

describe('qoq data synth', () => {
  test('makes a clinic that opens as a dataset', async () => {
    const argv = ['data', 'synth', '--out', 'clinic', '--size', '6', '--seed', '1', '--domain', 'mri', '--json']
    const { exitCode, stdout } = await runInProcess(argv, { cwd: folder })
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ dir: path.join(folder, 'clinic'), samples: { mri: 6 } })
    const { samples } = await openDataset('mini_clinic_mri', { root: path.join(folder, 'clinic') })
    expect(samples).toHaveLength(6)
  })

  test.for([
    { name: 'no folder', argv: [], code: 'CLI_ARGUMENT_MISSING' },
    { name: 'a size that is none', argv: ['--out', 'x', '--size', 'many'], code: 'CLI_VALUE_INVALID' },
    { name: 'a fractional seed', argv: ['--out', 'x', '--seed', '1.5'], code: 'CLI_VALUE_INVALID' },
    { name: 'an unknown domain', argv: ['--out', 'x', '--domain', 'mrii'], code: 'CLI_VALUE_INVALID' },
    { name: 'a size below the number of domains', argv: ['--out', 'x', '--size', '1'], code: 'DATA_OPTION_INVALID' },
    { name: 'a folder that holds something else', argv: ['--out', '.'], code: 'DATA_OUTPUT_EXISTS' },
  ])('refuses $name and makes nothing', async ({ argv, code }) => {
    const result = await runInProcess(['data', 'synth', ...argv, '--json'], { cwd: folder })
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe(code)
    expect(await readdir(folder)).not.toContain('x')
  })
})

describe('qoq data download', () => {
  test.for([
    { name: 'a dataset that only a person can fetch', argv: ['chexpert'], code: 'DATA_DOWNLOAD_MANUAL' },
    { name: 'missing credentials', argv: ['busi'], code: 'DATA_CREDENTIALS_MISSING' },
    { name: 'an unknown dataset', argv: ['bussi'], code: 'DATA_DATASET_UNKNOWN' },
    { name: 'a source that is none', argv: ['lndb', '--from', 'attic:3'], code: 'DATA_OPTION_INVALID' },
  ])('refuses $name and makes no folder', async ({ argv, code }) => {
    const result = await runInProcess(['data', 'download', ...argv, '--root', 'fetched', '--json'], { cwd: folder })
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe(code)
    expect(await readdir(folder)).not.toContain('fetched')
  })
})
