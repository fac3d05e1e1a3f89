import type { DatasetReport } from '@qoq-med/data-climb'
import { defineCommand } from '../command.ts'
import { writeWhole } from '../output-file.ts'
import { factTable, textTable } from '../text-table.ts'
import { writeFile } from 'node:fs/promises'

/** `qoq data verify`: leaks, duplicates, missing and undecodable files of a dataset folder. */
export const verifyCommand = defineCommand({
  meta: {
    name: 'verify',
    description:
      'Check a dataset folder: patients or files in two parts, duplicates, label counts, files that are missing or do not decode. Exit code 1 if something is wrong.',
    examples: ['qoq data verify busi --root data/Dataset_BUSI_with_GT --report busi.json'],
  },
  args: {
    id: { type: 'positional', required: true, description: 'dataset id; see `qoq data list`' },
    root: { type: 'string', value: 'DIR', required: true, description: 'folder into which the dataset was unpacked' },
    quick: { type: 'flag', description: 'only look at sizes and hashes of files' },
    report: { type: 'string', value: 'FILE', description: 'also write the report as JSON' },
  },
  run: async ({ args, input, output }) => {
    const { verifyDataset } = await import('@qoq-med/data-climb')
    const report = await verifyDataset(args.id, {
      root: input.resolve(args.root),
      decode: !args.quick,
      onProgress: (done, total) => output.progress(`decoded ${done} of ${total} samples`),
    })
    if (args.report !== undefined) {
      const text = `${JSON.stringify(report, null, 2)}\n`
      await writeWhole(input.resolve(args.report), partial => writeFile(partial, text))
    }
    output.result(report, () => reportText(report))
    return report.isClean ? undefined : 1
  },
})

/** Problems that are shown one by one; `--report` has all. */
const shownProblems = 10

function reportText({ samples, labelCounts, tally, ...report }: DatasetReport): string {
  const labels = Object.keys(labelCounts.train)
  const parts = ['train', 'valid', 'test'] as const
  const counts = textTable([
    ['', ...parts],
    ['samples', ...parts.map(part => String(samples[part]))],
    ...labels.map(label => [label, ...parts.map(part => String(labelCounts[part][label] ?? 0))]),
  ])
  const found = factTable({
    'patients in two parts': report.leakingPatients.length,
    'files in two parts': report.leakingFiles.length,
    'duplicates in one part': report.duplicates.length,
    contradictions: report.contradictions.length,
    'answers that exclude each other': report.contradictoryAnswers.length,
    'labels without a sample': report.emptyLabels.length,
    'missing or cut short': report.missing.length,
    'not decodable': report.undecodable.length,
    ...(report.parts.length > 0 && { 'parts of the release': report.parts.join(', ') }),
    'rows left out': `${tally.unlabelled} unlabelled, ${tally.excluded} excluded`,
  })
  const problems = [...report.missing, ...report.undecodable].slice(0, shownProblems)
  const verdict = report.isClean ? 'The dataset is clean.' : 'The dataset has faults.'
  return [counts, '', found, ...problems.map(({ message }) => message), verdict].join('\n')
}
