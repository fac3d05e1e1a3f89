import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { OpenedDataset } from '@qoq-med/data-climb'
import { defineCommand } from '../command.ts'
import { cliErrors } from '../errors.ts'
import { writeWhole } from '../output-file.ts'
import { textTable } from '../text-table.ts'

/** `qoq data preview`: a contact sheet of samples for a person to look at. */
export const previewCommand = defineCommand({
  meta: {
    name: 'preview',
    description:
      'Draw samples on one sheet (PNG): pictures with boxes and masks, ECGs on millimetre paper, true labels. Without --dataset and --root the mini clinic is made and shown.',
    examples: ['qoq data preview --out sheet.png', 'qoq data preview --dataset busi --root data/BUSI --out busi.png'],
  },
  args: {
    out: { type: 'string', value: 'FILE', required: true, description: 'PNG file to write' },
    root: { type: 'string', value: 'DIR', description: 'folder of the dataset or of a mini clinic' },
    dataset: { type: 'strings', value: 'ID', description: 'dataset to show; may be repeated' },
    count: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 1,
      max: 100,
      default: 6,
      description: 'samples of each dataset',
    },
    seed: { type: 'number', value: 'N', integer: true, min: 0, default: 42, description: 'chooses the samples' },
  },
  run: async ({ args, input, output }) => {
    const { previewSheet } = await import('@qoq-med/data-climb')
    if (args.dataset.length > 0 && args.root === undefined)
      throw cliErrors.ARGUMENT_MISSING({ name: '--root DIR', command: 'qoq data preview' })
    const out = input.resolve(args.out)
    const draw = async (opened: readonly OpenedDataset[]) => {
      await writeWhole(out, async partial => writeFile(partial, await previewSheet(opened, args)))
      const datasets = opened.map(({ definition, samples }) => ({ id: definition.id, samples: samples.length }))
      output.result({ out, datasets }, () =>
        textTable([['dataset', 'samples'], ...datasets.map(({ id, samples }) => [id, String(samples)])]),
      )
    }
    await (args.root === undefined
      ? withClinic(args, draw)
      : openAll(args.dataset, input.resolve(args.root)).then(draw))
  },
})

/** Makes a clinic that is large enough to choose from, and removes it afterwards. */
async function withClinic(
  { count, seed }: { readonly count: number; readonly seed: number },
  draw: (opened: readonly OpenedDataset[]) => Promise<void>,
): Promise<void> {
  const { synthesise } = await import('@qoq-med/data-climb')
  const folder = await mkdtemp(path.join(tmpdir(), 'qoq-preview-'))
  try {
    await synthesise({ dir: path.join(folder, 'clinic'), seed, size: 9 * count * 2, preset: 'balanced' })
    await draw(await openAll([], path.join(folder, 'clinic')))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Opens datasets of a folder; without ids, the domains of the mini clinic that are in it. */
async function openAll(ids: readonly string[], root: string): Promise<OpenedDataset[]> {
  const { listDatasets, openDataset } = await import('@qoq-med/data-climb')
  const opened: OpenedDataset[] = []
  for (const id of ids) opened.push(await openDataset(id, { root, onError: 'skip' }))
  if (ids.length > 0) return opened
  const clinic = listDatasets().filter(({ access }) => access === 'generated')
  let problem: unknown
  for (const definition of clinic) {
    try {
      opened.push(await openDataset(definition, { root, onError: 'skip' }))
    } catch (error) {
      problem = error
    }
  }
  if (opened.length === 0) throw problem
  return opened
}
