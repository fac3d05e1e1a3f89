import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { errorOf, runInProcess } from '../run-in-process.testing.ts'

/** 8 x 6 pixels; columns 2-5 of rows 1-4 are 1 or 255, the others 0. */
const maskPng =
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGCAAAAADbboAnAAAAF0lEQVR42mNgQADG/4z/wQwgzYhDBAIA2DYIARsF33wAAAAASUVORK5CYII='

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-rewards-'))
  await writeFile(path.join(folder, 'mask.png'), Buffer.from(maskPng, 'base64'))
  await writeFile(path.join(folder, 'broken.png'), Buffer.from(maskPng, 'base64').subarray(0, 60))
  await writeFile(
    path.join(folder, 'polite.ts'),
    `export const reward = ({ text }) => ({ score: text.includes('please') ? 1 : 0 })\n`,
  )
})

const response = '<think>dense</think>\n```json\n[{"bbox_2d":[2,1,6,5],"label":"Edema"}]\n```\n\\boxed{Edema}'
const row = { id: 'r1', response, answer: ['Edema'], labels: ['Edema', 'Pneumonia'] }
const score = (rows: readonly object[], argv: readonly string[] = [], mark = '') =>
  runInProcess(['rewards', ...argv, '--json'], {
    stdin: mark + rows.map(one => JSON.stringify(one)).join('\n'),
    cwd: folder,
  })

describe('qoq rewards', () => {
  test('answers one line per response, in order, with score, parts and what was parsed', async () => {
    const wrong = { ...row, id: 7, response: 'no answer', modality: 'ecg' }
    const { exitCode, stdout, stderr } = await score([{ ...row, mask: 'mask.png' }, wrong])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const lines = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines).toEqual([
      {
        id: 'r1',
        score: expect.closeTo(1, 12),
        parts: { accuracy: 1, iou: 1, format: 1 },
        parsed: { labels: ['Edema'], boxes: [[2, 1, 6, 5]], problems: [] },
      },
      {
        id: 7,
        score: 0,
        parts: { accuracy: 0, format: 0 },
        parsed: { labels: [], boxes: [], problems: [{ type: 'boxed-missing' }] },
      },
    ])
  })

  test('reads a mask the same from a picture and from run lengths', async () => {
    const rle = [10, 4, 4, 4, 4, 4, 4, 4, 10]
    const half = { ...row, response: response.replace('[2,1,6,5]', '[2,1,4,5]') }
    const { stdout } = await score([
      { ...half, mask: 'mask.png' },
      { ...half, mask: { width: 8, height: 6, rle } },
    ])
    const [first, second] = stdout.trim().split('\n')
    expect(first).toBe(second)
    expect(JSON.parse(first ?? '').parts.iou).toBe(0.5)
  })

  test('takes weights, rewards of one own by path, and boxes by corner and size', async () => {
    const weights = JSON.stringify({ iou: 1, polite: { weight: 1, path: 'polite.ts' } })
    const bySize = { ...row, mask: 'mask.png', response: `please ${response.replace('[2,1,6,5]', '[2,1,4,4]')}` }
    const { stdout } = await score([bySize], ['--weights', weights, '--box-format', 'xywh'])
    expect(JSON.parse(stdout)).toMatchObject({ score: 1, parts: { iou: 1, polite: 1 } })
  })

  test('takes one mask per picture', async () => {
    const image = [
      { width: 8, height: 6 },
      { width: 8, height: 6 },
    ]
    const rows = ['mask.png', ['mask.png'], [null, 'mask.png']].map(mask => ({ ...row, image, mask }))
    const { stdout } = await score(rows)
    const ious = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).parts.iou)
    expect(ious).toEqual([1, 1, 0])
  })

  test('reads a line with separators of Unicode in it, after a byte order mark', async () => {
    const rows = ['\u2028', '\u2029', '\u0085'].map(mark => ({
      ...row,
      response: row.response.replace('<think>', `<think>${mark}`),
    }))
    const { exitCode, stdout } = await score(rows, [], '\uFEFF')
    expect({ exitCode, lines: stdout.trim().split('\n').length }).toEqual({ exitCode: 0, lines: 3 })
  })

  test('has the preset of the public code', async () => {
    const { stdout } = await score([row], ['--preset', 'release'])
    expect(Object.keys(JSON.parse(stdout).parts)).toContain('length')
  })

  test.for([
    {
      name: 'an unknown preset',
      rows: [row],
      argv: ['--preset', 'papre'],
      code: 'REWARDS_UNKNOWN_PRESET',
      says: 'papre',
    },
    {
      name: 'an unknown reward',
      rows: [row],
      argv: ['--weights', '{"acuracy":1}'],
      code: 'REWARDS_UNKNOWN_REWARD',
      says: 'acuracy',
    },
    {
      name: 'two kinds of weights',
      rows: [row],
      argv: ['--weights', '{}', '--preset', 'paper'],
      code: 'CLI_ARGUMENT_EXTRA',
      says: 'exclude each other',
    },
    {
      name: 'weights that are none',
      rows: [row],
      argv: ['--weights', '{"iou":"high"}'],
      code: 'CLI_INPUT_INVALID',
      says: '--weights: iou: must be a weight',
    },
    {
      name: 'a reward file that does not exist',
      rows: [row],
      argv: ['--weights', '{"m":{"weight":1,"path":"none.ts"}}'],
      code: 'REWARDS_MODULE_UNREADABLE',
      says: 'none.ts',
    },
    {
      name: 'a missing mask',
      rows: [row, { ...row, mask: 'absent.png' }],
      code: 'CLI_FILE_MISSING',
      says: 'absent.png does not exist',
    },
    {
      name: 'a truncated mask',
      rows: [{ ...row, mask: 'broken.png' }],
      code: 'DATA_IMAGE_UNREADABLE',
      says: 'broken.png',
    },
    {
      name: 'a line without a response',
      rows: [row, { id: 2, answer: [] }],
      code: 'REWARDS_ROW_INVALID',
      says: 'Response 2: ',
    },
    {
      name: 'run lengths that do not fit',
      rows: [{ ...row, mask: { width: 2, height: 2, rle: [1] } }],
      code: 'REWARDS_MASK_SIZE',
      says: 'Response 1: ',
    },
  ])('refuses $name and prints no scores', async ({ rows, argv, code, says }) => {
    const result = await score(rows, argv)
    expect(result.exitCode).toBe(2)
    expect(result.stdout.trim().split('\n')).toHaveLength(1)
    expect(errorOf(result).code).toBe(code)
    expect(errorOf(result).message).toContain(says)
  })
})

describe('qoq rewards lint', () => {
  test('reports what a reward pays for gaming, without reading standard input', async () => {
    const { exitCode, stdout } = await runInProcess(['rewards', 'lint', '--json'])
    expect(exitCode).toBe(0)
    const report = JSON.parse(stdout)
    expect(report.rows.map(({ probe }: { probe: string }) => probe)).toContain('every-label')
    expect(report.honest.right).toBeGreaterThan(report.honest.wrong)
  })

  test('prints a table for people', async () => {
    const { stdout } = await runInProcess(['rewards', 'lint', '--preset', 'release'])
    expect(stdout).toMatch(/probe +pays +honest +gain/)
  })

  test('suggests itself', async () => {
    const result = await runInProcess(['rewards', 'lnt', '--json'])
    expect(errorOf(result)).toMatchObject({ code: 'CLI_UNKNOWN_COMMAND', hint: 'Did you mean lint?' })
  })
})
