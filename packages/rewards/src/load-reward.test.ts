import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { combine } from './combine.ts'
import { loadReward, loadWeights } from './load-reward.ts'
import { scoreBatch } from './score-batch.ts'

const folder = mkdtempSync(join(tmpdir(), 'rewards-'))
const importModule = (path: string): Promise<unknown> => import(pathToFileURL(join(folder, path)).href)

writeFileSync(join(folder, 'default.mjs'), 'export default ({ text }) => ({ score: text === "yes" ? 1 : 0 })')
writeFileSync(join(folder, 'named.mjs'), 'export const reward = async () => ({ score: 0.25 })')
writeFileSync(join(folder, 'other.mjs'), 'export const score = 1')
writeFileSync(join(folder, 'broken.mjs'), 'export default {')

describe('loadReward', () => {
  test('loads rewards from files, synchronous or not, next to built-in ones', async () => {
    const weights = await loadWeights(
      { exactMatch: 2, first: { weight: 1, path: 'default.mjs' }, second: { weight: 1, path: 'named.mjs' } },
      importModule,
    )
    const [breakdown] = await scoreBatch(combine(weights), [{ response: 'yes', truth: { answer: ['A'] } }])
    expect(breakdown?.parts).toEqual({ exactMatch: 0, first: 1, second: 0.25 })
    expect(breakdown?.score).toBe(1.25 / 4)
  })

  test.for([
    { path: 'other.mjs', code: 'REWARDS_MODULE_WITHOUT_REWARD' },
    { path: 'broken.mjs', code: 'REWARDS_MODULE_UNREADABLE' },
    { path: 'missing.mjs', code: 'REWARDS_MODULE_UNREADABLE' },
  ])('refuses $path', async ({ path, code }) => {
    await expect(loadReward(path, importModule)).rejects.toThrow(expect.objectContaining({ code }))
  })
})
