import type { DatasetDefinition } from '@qoq-med/data-climb'
import { defineCommand, defineGroup } from '../command.ts'
import { knownNames } from '../known-names.ts'
import { factTable, textTable } from '../text-table.ts'
import { buildCommand } from './data-build.ts'
import { downloadCommand } from './data-download.ts'
import { inspectCommand } from './data-inspect.ts'
import { previewCommand } from './data-preview.ts'
import { queryCommand } from './data-query.ts'
import { verifyCommand } from './data-verify.ts'

/** `qoq data list`: the datasets that can be opened. */
const listCommand = defineCommand({
  meta: { name: 'list', description: 'List the datasets that can be opened.', examples: ['qoq data list'] },
  args: {},
  run: async ({ output }) => {
    const { howToGet, listDatasets } = await import('@qoq-med/data-climb')
    const definitions = listDatasets()
    output.results(
      definitions.map(definition => ({ ...factsOf(definition), get: howToGet(definition.id) })),
      () =>
        textTable([
          ['id', 'domain', 'labels', 'access', 'licence'],
          ...definitions.map(({ id, domain, labels, ...rest }) => [
            id,
            domain,
            String(labels.length),
            rest.access,
            rest.licence,
          ]),
        ]),
    )
  },
})

/** `qoq data info`: everything the project knows about a dataset. */
const infoCommand = defineCommand({
  meta: {
    name: 'info',
    description: 'Say what is known about a dataset: layout, labels, split, licence, differences.',
    examples: ['qoq data info ptb_xl'],
  },
  args: { id: { type: 'positional', required: true, description: 'dataset id; see `qoq data list`' } },
  run: async ({ args, output }) => {
    const { findDataset, howToGet } = await import('@qoq-med/data-climb')
    const facts = { ...factsOf(findDataset(args.id)), get: howToGet(args.id) }
    output.result(facts, () => factTable(facts))
  },
})

/** `qoq data synth`: the mini clinic. */
const synthCommand = defineCommand({
  meta: {
    name: 'synth',
    description: 'Make the mini clinic: simulated recordings and pictures with known truth. No patient is behind them.',
    examples: ['qoq data synth --out data/clinic --seed 42 --size 300'],
  },
  args: {
    out: { type: 'string', value: 'DIR', required: true, description: 'folder to make; an earlier clinic is replaced' },
    seed: { type: 'number', value: 'N', integer: true, min: 0, default: 42, description: 'same seed, same bytes' },
    size: { type: 'number', value: 'N', integer: true, min: 1, default: 300, description: 'samples over all domains' },
    preset: {
      type: 'string',
      value: 'NAME',
      choices: ['imbalanced', 'balanced'],
      default: 'imbalanced',
      description: 'how samples are shared among domains',
    },
    difficulty: {
      type: 'string',
      value: 'NAME',
      choices: ['easy', 'medium', 'ambiguous', 'hard'],
      default: 'medium',
      description: 'how visible findings are; in an ambiguous clinic some are not, and are fainter in patients over 75',
    },
    answers: {
      type: 'string',
      value: 'FORM',
      choices: ['full', 'short'],
      default: 'full',
      description: 'in sentences with reasoning, or one box and the labels in some 20 tokens',
    },
    domain: { type: 'strings', value: 'ID', description: 'make only this domain; may be repeated' },
  },
  run: async ({ args, input, output }) => {
    const { domains, synthesise } = await import('@qoq-med/data-climb')
    const wanted = knownNames(args.domain, domains, '--domain')
    const report = await synthesise({
      dir: input.resolve(args.out),
      seed: args.seed,
      size: args.size,
      preset: args.preset,
      difficulty: args.difficulty,
      answers: args.answers,
      ...(wanted.length > 0 && { domains: wanted }),
    })
    output.result(report, () => `${factTable(report.samples)}\nSimulated samples are in ${report.dir}.`)
  },
})

/** `qoq data …`: datasets and files. */
export const dataGroup = defineGroup(
  { name: 'data', description: 'Look at datasets and files, and make simulated ones.' },
  [
    listCommand,
    infoCommand,
    downloadCommand,
    verifyCommand,
    buildCommand,
    queryCommand,
    inspectCommand,
    previewCommand,
    synthCommand,
  ],
)

function factsOf(definition: DatasetDefinition): Omit<DatasetDefinition, 'rows' | 'streamRows' | 'download'> {
  const { rows: _rows, streamRows: _streamRows, download: _download, ...facts } = definition
  return facts
}
