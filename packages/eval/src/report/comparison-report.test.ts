import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { compareRuns } from '../run/compare-runs.ts'
import { evaluate } from '../evaluate.ts'
import { fakePolicy, glioma, mriSample } from '../run/evaluation.testing.ts'
import { renderComparisonReport } from './comparison-report.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-compared-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const samples = Array.from({ length: 60 }, (_, index) => mriSample(index))

/** Half of the patients are women. */
function groupsOf({ id }: { readonly id: string }): Record<string, string> {
  return { sex: Number(id.split('/')[1]) < 30 ? 'F' : 'M' }
}

test('compares runs with corrected p-values, the smallest detectable difference and gaps of subgroups', async () => {
  const answers = {
    first: () => glioma,
    second: (question: string) => (Number(/\d+/.exec(question)![0]) % 2 === 0 ? glioma : '\\boxed{none}'),
  }
  for (const [name, answer] of Object.entries(answers))
    await evaluate({
      policy: fakePolicy(answer, `<${name}>`),
      samples,
      outDir: path.join(folder, name),
      groupsOf,
      minPatients: 5,
    })
  const comparison = await compareRuns(path.join(folder, 'first'), path.join(folder, 'second'), {
    resamples: 200,
    minPatients: 5,
  })
  const { f1 } = comparison.differences.datasets['brain']!
  expect(f1.observed).toBeCloseTo(2 / 3, 12) // from 1/3 to 1
  expect(f1.adjustedP).toBe(f1.pValue) // one dataset has nothing to be corrected for
  expect(f1.detectable).toBeGreaterThan(0)
  expect(comparison.exactMatch['brain']).toMatchObject({ onlyFirst: 0, onlySecond: 30 })
  expect(comparison.fairness.map(({ measure }) => measure)).toEqual(['accuracy', 'f1', 'tpr', 'fpr', 'fdr'])
  const html = await renderComparisonReport([comparison, comparison])
  expect(html).not.toContain('<first>')
  expect(html.match(/<svg/g)).toHaveLength(2)
  expect(html).toContain('smallest detectable')
})

test('runs with other truths are not compared', async () => {
  const policy = fakePolicy(() => glioma)
  await evaluate({ policy, samples: samples.slice(0, 2), outDir: path.join(folder, 'first') })
  const changed = [mriSample(0, { answer: ['none'] }), mriSample(1)]
  await evaluate({ policy, samples: changed, outDir: path.join(folder, 'second') })
  const compared = compareRuns(path.join(folder, 'first'), path.join(folder, 'second'))
  await expect(compared).rejects.toMatchObject({
    code: 'EVAL_TRUTHS_DIFFER',
    message: expect.stringContaining('brain/0'),
  })
})
