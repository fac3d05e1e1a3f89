import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { errorOf, runInProcess } from '../run-in-process.testing.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-metrics-'))
  await writeFile(path.join(folder, 'labels.json'), JSON.stringify({ busi: ['normal', 'benign', 'malignant'] }))
  await writeFile(path.join(folder, 'broken.json'), '{"busi": ["normal"')
  await writeFile(path.join(folder, 'shapeless.json'), '{"busi": "normal"}')
})

const rows = [
  { dataset: 'busi', domain: 'ultrasound', truth: ['benign'], predicted: ['benign'] },
  { dataset: 'busi', domain: 'ultrasound', truth: ['malignant'], predicted: ['benign'] },
]
const lines = rows.map(row => JSON.stringify(row)).join('\n')

describe('qoq metrics', () => {
  test('answers the three levels of the contract', async () => {
    const argv = ['metrics', '--labels', 'labels.json', '--json']
    const { exitCode, stdout, stderr } = await runInProcess(argv, { stdin: `${lines}\n\n`, cwd: folder })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const answer = JSON.parse(stdout)
    expect(Object.keys(answer)).toEqual(['datasets', 'domains', 'overall'])
    // normal: 2 TN; benign: 1 TP, 1 FP; malignant: 1 FN, 1 TN.
    const want = { accuracy: (1 + 0.5 + 0.5) / 3, sensitivity: 1 / 3, specificity: 2 / 3, f1: 2 / 9, precision: 1 / 6 }
    const near = Object.fromEntries(Object.entries(want).map(([name, value]) => [name, expect.closeTo(value, 12)]))
    expect(answer.datasets.busi).toMatchObject({ ...near, domain: 'ultrasound', support: 2, recall: 1 / 3 })
    expect(answer.domains.ultrasound).toMatchObject({ ...near, datasets: 1, support: 2 })
    expect(answer.overall).toMatchObject({ ...near, domains: 1, support: 2 })
  })

  test('prints a table for people', async () => {
    const { stdout } = await runInProcess(['metrics', '--labels', 'labels.json'], { stdin: lines, cwd: folder })
    expect(stdout).toMatch(/accuracy +sensitivity +specificity +F1/)
    expect(stdout).toMatch(/ultrasound\/busi +\.667 +\.333 +\.667 +\.222/)
  })

  test.for([
    {
      name: 'a missing label file',
      labels: 'absent.json',
      code: 'CLI_FILE_MISSING',
      says: 'absent.json does not exist',
    },
    { name: 'a folder as label file', labels: '.', code: 'CLI_FILE_UNREADABLE', says: 'cannot be read: EISDIR' },
    { name: 'a broken label file', labels: 'broken.json', code: 'CLI_INPUT_NOT_JSON', says: 'broken.json is not JSON' },
    { name: 'a label file of another shape', labels: 'shapeless.json', code: 'CLI_INPUT_INVALID', says: 'busi' },
  ])('refuses $name', async ({ labels, code, says }) => {
    const result = await runInProcess(['metrics', '--labels', labels, '--json'], { stdin: lines, cwd: folder })
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe(code)
    expect(errorOf(result).message).toContain(says)
  })

  test.for([
    { name: 'a line that is no JSON', stdin: `${lines}\nnot json`, code: 'CLI_INPUT_NOT_JSON', says: 'Line 3 of' },
    {
      name: 'a line without truth',
      stdin: '{"dataset":"busi","domain":"us","predicted":[]}',
      code: 'CLI_INPUT_INVALID',
      says: 'Line 1 of standard input: truth',
    },
    {
      name: 'an unknown dataset',
      stdin: lines.replaceAll('busi', 'bussi'),
      code: 'EVAL_LABELS_MISSING',
      says: '"bussi"',
    },
    { name: 'nothing', stdin: '\n', code: 'CLI_INPUT_EMPTY', says: 'no lines of truth and prediction' },
  ])('refuses $name', async ({ stdin, code, says }) => {
    const result = await runInProcess(['metrics', '--labels', 'labels.json', '--json'], { stdin, cwd: folder })
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe(code)
    expect(errorOf(result).message).toContain(says)
  })
})
