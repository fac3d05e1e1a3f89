import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { folderInfo } from '@qoq-med/model'
import { expect, test } from 'vitest'
import { knownModelRows, knownModels } from './known-models.ts'

const maker = path.resolve(
  process.env['QOQ_SHARED'] ?? path.join(import.meta.dirname, '../../../../shared'),
  'tools/make-sparse-model.py',
)
const canMake = existsSync(maker) && spawnSync('python3', ['--version']).status === 0

test.skipIf(!canMake).for([
  { name: 'Qwen/Qwen2.5-VL-3B-Instruct', size: '3b' },
  { name: 'ddvd233/QoQ-Med-VL-7B', size: '7b' },
])(
  '$name takes what a folder in its shapes is planned with (skipped without tools/make-sparse-model.py of QOQ_SHARED)',
  async ({ name, size }) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'qoq-known-'))
    try {
      expect(spawnSync('python3', [maker, folder, size]).status).toBe(0)
      const { answering } = await folderInfo(folder)
      const { memoryGb } = knownModels.find(model => model.name === name)!
      for (const [weights, planned] of Object.entries(memoryGb)) {
        const { total } = answering.find(({ weightsType }) => weightsType === weights)!
        expect(Math.abs(total / 1e9 - planned)).toBeLessThan(0.06)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  },
)

test("are the README's table", async () => {
  const text = await readFile(path.join(import.meta.dirname, '../../../README.md'), 'utf8')
  const rows = text.split('\n').map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
  const start = rows.findIndex(([first]) => first === 'model')
  const [heading, ...known] = knownModelRows()
  expect(rows[start]).toEqual(heading)
  expect(rows.slice(start + 2, start + 2 + known.length)).toEqual(known)
  expect(rows[start + 2 + known.length]).toEqual([])
})
