import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openDataset, synthesise } from '@qoq-med/data-climb'
import type { EvaluationResults } from '@qoq-med/eval'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { drpoVsGrpo2 } from './drpo-vs-grpo-2.ts'
import { groupsFile, worstGroupF1, writeJudgedGroups } from './judged-groups.ts'

let out = ''
beforeAll(async () => {
  out = await mkdtemp(path.join(tmpdir(), 'qoq-groups-'))
})
afterAll(() => rm(out, { recursive: true, force: true }))

test('the table of groups names every judged sample once', async () => {
  const clinic = path.join(out, 'clinic')
  const domains = ['mri', 'ecg'] as const
  await synthesise({ dir: clinic, seed: 3, size: 12, domains })
  await writeJudgedGroups({ ...drpoVsGrpo2, domains }, clinic, groupsFile(out))
  const [head, ...lines] = (await readFile(groupsFile(out), 'utf8')).trim().split('\n')
  expect(head).toBe('id,sex,age')
  const opened = await Promise.all(domains.map(domain => openDataset(`mini_clinic_${domain}`, { root: clinic })))
  const ids = opened.flatMap(({ samples }) => samples.map(({ id }) => id))
  expect(new Set(lines.map(line => line.split(',')[0]))).toEqual(new Set(ids))
  expect(lines).toHaveLength(12)
})

/** Of one dataset: macro-F1 of two groups. */
function groups(young: number, old: number) {
  return { attributes: { 'sex and age': { groups: { 'F,A1': { f1: young }, 'F,A4': { f1: old } } } } }
}

test('the group that is served worst is so over all datasets, not in one', () => {
  const results = { fairness: { datasets: { mri: groups(0.1, 0.4), ecg: groups(0.9, 0.4) } } }
  expect(worstGroupF1(results as unknown as EvaluationResults)).toBeCloseTo(0.4, 12) // what is read of one
  expect(worstGroupF1({} as EvaluationResults)).toBeUndefined() // of an evaluation without groups
})
