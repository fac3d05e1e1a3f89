import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDataset } from '../open/open-dataset.ts'
import { findDataset, listDatasets } from './registry.ts'
import type { Sample, Split } from '../sample/sample.ts'
import { realFile, whySkipped } from '../shared.testing.ts'
import { splitOfPatient } from '../sample/split.ts'
import { definitionCases, differing, type DefinitionCase } from './definitions.testing.ts'

let written: string
beforeAll(async () => {
  written = await mkdtemp(path.join(tmpdir(), 'qoq-definitions-'))
})
afterAll(() => rm(written, { recursive: true, force: true }))

type LabelsJson = Readonly<Record<string, { readonly items?: unknown }>>

const truth = (whySkipped === '' ? JSON.parse(readFileSync(realFile('truth/labels.json'), 'utf8')) : {}) as LabelsJson

const rows = Object.entries(definitionCases)

async function opened(id: string, { layout }: DefinitionCase) {
  const root = typeof layout === 'string' ? realFile(layout) : path.join(written, id)
  if (typeof layout === 'function') await layout(root)
  return openDataset(id, { root, onError: 'skip' })
}

test('every definition of a real dataset has a row in the table below: 30 of table 5 and 2 of MIMIC-IV', () => {
  const ids = listDatasets()
    .filter(definition => definition.access !== 'generated')
    .map(definition => definition.id)
  expect(rows.map(([id]) => id)).toEqual(ids)
  expect(ids.length).toBe(32)
})

describe(`definitions on the layouts of ../shared/data, or written ones${whySkipped}`, () => {
  test.for(rows.map(([id, row]) => ({ id, row })))('$id', async ({ id, row }, context) => {
    context.skip(whySkipped !== '' && typeof row.layout === 'string', whySkipped)
    const { samples, tally, problems } = await opened(id, row)
    expect([tally.rows, tally.kept, tally.unlabelled, tally.excluded, tally.missing, tally.unreadable]).toEqual(
      row.tally,
    )
    expect(problems.length).toBe(tally.missing + tally.unreadable)
    expectLabels(id, row, samples)
    expectSplits(id, row, samples)
    await expectMedia(row, samples)
    await expectMasks(row, samples)
  })
})

/** Answers against the truth, and every item of the truth accounted for. */
function expectLabels(id: string, { items, answerOf, unused = {} }: DefinitionCase, samples: readonly Sample[]): void {
  const expected = items(truth)
  const seen = new Set(Object.keys(unused))
  for (const sample of samples) {
    const keys = answerOf.keys(sample)
    for (const key of keys) {
      seen.add(key)
      const own = differing[`${id}/${key}`]?.ours ?? answerOf.labels(expected[key] as never) // the value of this row's items
      expect([sample.id, [...sample.answer].toSorted()]).toEqual([sample.id, [...own].toSorted()])
    }
    for (const label of sample.answer) expect(findDataset(id).labels).toContain(label)
  }
  expect([...seen].toSorted()).toEqual(Object.keys(expected).toSorted())
}

function expectSplits(id: string, { splits, patientsAreSpread }: DefinitionCase, samples: readonly Sample[]): void {
  const group = findDataset(id).splitGroup ?? id
  const hashed = samples.map(({ patientId }) => splitOfPatient(group, patientId, { seed: 42 }))
  const expected = splits === 'hash' ? hashed : countsOf(samples.map(sample => sample.split))
  expect(splits === 'hash' ? samples.map(sample => sample.split) : splits).toEqual(expected)
  const parts = Map.groupBy(samples, ({ patientId }) => patientId)
  const isSpread = [...parts.values()].some(own => new Set(own.map(({ split }) => split)).size > 1)
  expect(isSpread).toBe(patientsAreSpread ?? false)
}

function countsOf(splits: readonly Split[]): Record<Split, number> {
  const count = (split: Split) => splits.filter(own => own === split).length
  return { train: count('train'), valid: count('valid'), test: count('test') }
}

/** The first sample that decodes: pictures, four frames, or twelve leads. */
async function expectMedia({ pictures }: DefinitionCase, samples: readonly Sample[]): Promise<void> {
  const [first] = samples
  expect([(await first?.images?.())?.length ?? 0, (await first?.ecg?.())?.leads.length ?? 0]).toEqual(pictures)
}

async function expectMasks({ masked = 0, boxed = 0 }: DefinitionCase, samples: readonly Sample[]): Promise<void> {
  const withMasks = samples.filter(sample => sample.mask !== undefined)
  expect(withMasks.length).toBe(masked)
  expect(samples.filter(sample => sample.boxes !== undefined).length).toBe(boxed)
}
