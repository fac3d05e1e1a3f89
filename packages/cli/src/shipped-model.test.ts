import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { findDataset, synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runInProcess } from './run-in-process.testing.ts'

let cwd = ''
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-shipped-'))
  await synthesise({ dir: path.join(cwd, 'clinic'), seed: 9, size: 6, domains: ['ecg'], difficulty: 'easy' })
})
afterAll(() => rm(cwd, { recursive: true, force: true }))

test('where no model is named, the one that ships reads an ECG and chooses among the labels that it knows', async () => {
  const records = await readdir(path.join(cwd, 'clinic/ecg/records'))
  const record = records.find(name => name.endsWith('.hea')) ?? ''
  const argv = ['ask', '--ecg', `clinic/ecg/records/${record}`, 'What does this ECG show?', '--json']
  const { exitCode, stdout, stderr } = await runInProcess(argv, { cwd })
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  expect(stderr).toContain('No --model: qoq-nano answers')
  const { labels, probabilities } = JSON.parse(stdout)
  expect(Object.keys(probabilities).toSorted()).toEqual(findDataset('mini_clinic_ecg').labels.toSorted())
  expect(labels).not.toEqual([])
  expect(Object.keys(probabilities)).toEqual(expect.arrayContaining(labels))
})

test('it is evaluated where nobody is named', async () => {
  const argv = ['eval', '--data', 'mini_clinic_ecg=clinic', '--split', 'all', '--out', 'own', '--json']
  const { exitCode, stdout, stderr } = await runInProcess(argv, { cwd })
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  expect(JSON.parse(stdout).policy).toBe('qoq-nano')
})
