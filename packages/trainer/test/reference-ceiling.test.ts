import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  listDatasets,
  openDataset,
  presentSample,
  synthesise,
  type Sample,
  type SampleTruth,
} from '@qoq-med/data-climb'
import { isHintedError } from '@qoq-med/errors'
import { combine, presets, type Breakdown, type Truth } from '@qoq-med/rewards'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { definitionCases } from '../../data-climb/src/datasets/definitions.testing.ts'
import { missingShared, sharedFolder } from './oracle-folder.ts'

/** Samples of a dataset that are looked at, evenly over those there are. */
const looked = 24

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'qoq-ceiling-'))
  // Every domain that the clinic can make, also those that it makes only when asked to.
  const domains = listDatasets().flatMap(({ id, domain }) => (id.startsWith('mini_clinic_') ? [domain] : []))
  await synthesise({ dir: join(root, 'clinic'), size: 180, seed: 3, domains })
}, 60_000)
afterAll(() => rm(root, { recursive: true, force: true }))

const paper = combine(presets.paper)
const exempting = combine({ taskAccuracy: 0.6, iou: 0.2, findingFormat: 0.2 })

async function samplesOf(id: string): Promise<readonly Sample[]> {
  const layout = definitionCases[id]?.layout
  const folder =
    typeof layout === 'string' ? join(sharedFolder, 'data', layout) : join(root, layout === undefined ? 'clinic' : id)
  if (typeof layout === 'function') await layout(folder)
  const { samples } = await openDataset(id, { root: folder, onError: 'skip' })
  const stride = Math.max(1, Math.floor(samples.length / looked))
  return samples.filter((_sample, i) => i % stride === 0)
}

/** Some sample files are smaller than their index says; they are refused by name, and tested elsewhere. */
async function presentOrNothing(sample: Sample) {
  return presentSample(sample).then(
    ({ truth, reference }) => ({ sample, truth, reference: reference() }),
    (error: unknown) => {
      if (isHintedError(error) && error.code === 'DATA_FILE_UNREADABLE') return undefined
      throw error
    },
  )
}

/** What a policy could write instead of a reference: none may earn more. */
function worse(reference: string, { labels, answer }: SampleTruth): string[] {
  const other = labels.find(label => !answer.includes(label))
  return [
    reference.replace(/```json[^]*?```/, '```json\n[]\n```'),
    reference.replaceAll(/"label": "(?:[^"\\]|\\.)*"/g, '"label": "finding"'),
    reference.replace(/\\boxed\{[^}]*\}/, `\\boxed{${labels.join(', ')}}`),
    reference.replace(/\\boxed\{[^}]*\}/, `\\boxed{${other ?? ''}}`),
    reference.replace(/\\boxed\{[^]*$/, ''),
    reference.replace('</think>', ''),
  ]
}

const isNegative = ({ answer, negativeLabels = [] }: SampleTruth): boolean =>
  answer.every(label => negativeLabels.includes(label))

/** Whether the sample says where its findings are. */
const hasPlace = ({ parts }: Breakdown): boolean => 'iou' in parts

/** The best that an answer can earn without a box that nobody has drawn. */
function ceiling(truth: SampleTruth, printed: Breakdown): Readonly<Record<string, number>> {
  const isNegativeAnswer = isNegative(truth)
  return {
    accuracy: 1,
    taskAccuracy: 1,
    ...(isNegativeAnswer ? { findingFormat: 1 } : (hasPlace(printed) || !truth.image) && { format: 1 }),
  }
}

describe('what the warm start imitates earns the highest reward', () => {
  test.for(listDatasets().map(({ id }) => id))('%s', { timeout: 60_000 }, async (id, context) => {
    context.skip(missingShared !== undefined && typeof definitionCases[id]?.layout === 'string', missingShared)
    const samples = await samplesOf(id)
    expect(samples.length).toBeGreaterThan(0)
    const presented = (await Promise.all(samples.map(presentOrNothing))).filter(one => one !== undefined)
    context.skip(presented.length === 0, 'the sample files are cut down, and none decodes')
    for (const { sample, truth, reference } of presented) {
      const printed = paper(reference, truth satisfies Truth)
      const exempt = exempting(reference, truth)
      expect({ sample: sample.id, ...printed.parts, ...exempt.parts }).toMatchObject(ceiling(truth, printed))
      expect(printed.parts['iou'] ?? 1).toBeGreaterThanOrEqual(truth.mask === undefined ? 0.95 : Number.MIN_VALUE)
      for (const other of worse(reference, truth)) {
        expect(paper(other, truth).score).toBeLessThanOrEqual(printed.score)
        expect(exempting(other, truth).score).toBeLessThanOrEqual(exempt.score)
      }
    }
  })
})
