import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, runInProcess } from '../run-in-process.testing.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-look-'))
  await synthesise({ dir: path.join(folder, 'clinic'), seed: 5, size: 12, domains: ['mri', 'ecg'] })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('qoq data preview', () => {
  test('draws the clinic of a folder', async () => {
    const argv = ['data', 'preview', '--root', 'clinic', '--out', 'sheets/all.png', '--count', '2', '--json']
    const { exitCode, stdout } = await runInProcess(argv, { cwd: folder })
    expect(exitCode).toBe(0)
    const { datasets } = JSON.parse(stdout)
    expect(datasets.map(({ id }: { id: string }) => id)).toEqual(['mini_clinic_ecg', 'mini_clinic_mri'])
    expect(await readdir(path.join(folder, 'sheets'))).toEqual(['all.png'])
  })

  test('makes a clinic where no folder is named', async () => {
    const { exitCode } = await runInProcess(['data', 'preview', '--out', 'made.png', '--count', '1'], { cwd: folder })
    expect(exitCode).toBe(0)
    expect(await readdir(folder)).toContain('made.png')
  })

  test.for([
    { name: 'a dataset without a folder', argv: ['--dataset', 'busi'], code: 'CLI_ARGUMENT_MISSING' },
    { name: 'a folder without a clinic', argv: ['--root', 'sheets'], code: 'DATA_ROOT_NOT_FOUND' },
    { name: 'an unknown dataset', argv: ['--root', '.', '--dataset', 'bussi'], code: 'DATA_DATASET_UNKNOWN' },
  ])('refuses $name', async ({ argv, code }) => {
    const result = await runInProcess(['data', 'preview', '--out', 'no.png', ...argv, '--json'], { cwd: folder })
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe(code)
    expect(await readdir(folder)).not.toContain('no.png')
  })
})

describe('qoq data verify', () => {
  const argv = ['data', 'verify', 'mini_clinic_mri', '--root', 'clinic']

  test('finds a clinic clean, and writes its report', async () => {
    const { exitCode, stdout } = await runInProcess([...argv, '--report', 'r.json', '--json'], { cwd: folder })
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ isClean: true, leakingPatients: [], undecodable: [] })
    expect(await readdir(folder)).toContain('r.json')
    expect((await runInProcess(argv, { cwd: folder })).stdout).toContain('The dataset is clean.')
  })

  test('ends with 1 where a picture does not decode, unless decoding is off', async () => {
    const images = path.join(folder, 'clinic/mri/images')
    const [first = ''] = await readdir(images)
    await writeFile(path.join(images, first), 'no picture')
    const { exitCode, stdout } = await runInProcess(argv, { cwd: folder })
    expect(exitCode).toBe(1)
    expect(stdout).toContain(first)
    expect((await runInProcess([...argv, '--quick'], { cwd: folder })).exitCode).toBe(0)
  })
})
