import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDataset } from '../open/open-dataset.ts'
import { presentSample } from '../sample/present-sample.ts'
import type { Sample } from '../sample/sample.ts'
import { synthesise } from './synthesise.ts'

let root = ''
let samples: readonly Sample[] = []
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'qoq-multimodal-'))
  const dir = path.join(root, 'clinic')
  await synthesise({ dir, seed: 42, size: 40, domains: ['multimodal'] })
  samples = (await openDataset('mini_clinic_multimodal', { root: dir })).samples
}, 60_000)
afterAll(() => rm(root, { recursive: true, force: true }))

/** What can be told from each modality: whether a lung is opaque, whether beats come arrhythmialy, whether there is fever. */
async function signsOf(sample: Sample): Promise<{ opaque: boolean; arrhythmia: boolean; fever: boolean }> {
  const header = await readFile(
    sample.files.find(file => file.endsWith('.hea'))!,
    'latin1',
  )
  return {
    opaque: (sample.boxes ?? []).length > 0,
    // SNOMED CT: atrial fibrillation, atrial flutter.
    arrhythmia: /Dx: .*(164889003|164890007)/.test(header),
    fever: Number(/temperature (\d+\.\d)/.exec(sample.text!)![1]) > 38,
  }
}

/** Diagnoses that occur with each reading of some signs. */
async function diagnosesBy(names: readonly ('opaque' | 'arrhythmia' | 'fever')[]): Promise<Set<string>[]> {
  const groups = new Map<string, Set<string>>()
  for (const sample of samples) {
    const signs = await signsOf(sample)
    const reading = names.map(name => `${name} ${signs[name]}`).join()
    groups.set(reading, (groups.get(reading) ?? new Set()).add(sample.answer[0]!))
  }
  return [...groups.values()]
}

describe('the multimodal domain', () => {
  test('shows picture, ECG and record of one admission', async () => {
    const { prompt, truth } = await presentSample(samples[0]!)
    expect(prompt[0]!.content.map(({ type }) => type)).toEqual(['image', 'ecg', 'text'])
    expect(samples[0]!.question).toMatch(/^Admission: temperature/)
    expect(truth.labels).toHaveLength(4)
    expect(samples[0]!.reference()).toContain(`\\boxed{${samples[0]!.answer[0]!}}`)
  })

  test.for([['opaque'], ['arrhythmia'], ['fever'], ['arrhythmia', 'fever']] as const)(
    'leaves two diagnoses open by %s alone',
    async names => {
      const groups = await diagnosesBy(names)
      expect(groups.map(({ size }) => size)).toEqual([2, 2])
    },
  )

  test.for([
    ['opaque', 'arrhythmia'],
    ['opaque', 'fever'],
  ] as const)('is told by %s and %s', async names => {
    const groups = await diagnosesBy(names)
    expect(groups.map(({ size }) => size)).toEqual([1, 1, 1, 1])
  })

  test('is made only where it is named', async () => {
    const dir = path.join(root, 'default')
    const { samples: counts } = await synthesise({ dir, seed: 1, size: 9 })
    expect(Object.keys(counts)).not.toContain('multimodal')
  })
})
