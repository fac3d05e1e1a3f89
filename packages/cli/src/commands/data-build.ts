import type { BuildProgress } from '@qoq-med/data-climb'
import { defineCommand } from '../command.ts'
import { cliErrors } from '../errors.ts'
import { factTable } from '../text-table.ts'

/** `qoq data build`: a dataset folder as an index and as a file of questions and answers. */
export const buildCommand = defineCommand({
  meta: {
    name: 'build',
    description:
      "Write a dataset's index as Parquet and its questions as the public QA JSONL beside it; pictures and ECGs stay where they are. A build that was stopped goes on.",
    examples: [
      'qoq data build georgia --root data/WFDB_Ga --out data/georgia.parquet',
      'qoq data build georgia --root data/WFDB_Ga --out data/georgia-train.jsonl --split train',
    ],
  },
  args: {
    id: { type: 'positional', required: true, description: 'dataset id; see `qoq data list`' },
    root: { type: 'string', value: 'DIR', required: true, description: 'folder into which the dataset was unpacked' },
    out: {
      type: 'string',
      value: 'FILE',
      required: true,
      description: 'x.parquet for both, x.jsonl for the JSONL alone',
    },
    split: {
      type: 'string',
      value: 'NAME',
      choices: ['train', 'valid', 'test'],
      description: 'only this part (default: all)',
    },
    shards: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 1,
      max: 99_999,
      default: 1,
      description: 'files to share the rows among',
    },
    check: {
      type: 'string',
      value: 'WHAT',
      choices: ['size', 'hash', 'decode'],
      default: 'size',
      description: 'look at the sizes of files, also hash them, or also decode them',
    },
    workers: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 0,
      max: 256,
      description: 'threads (default: one less than the machine has)',
    },
    onError: {
      type: 'string',
      value: 'WHAT',
      choices: ['throw', 'skip'],
      default: 'throw',
      description: 'stop at a missing or broken file, or leave its row out and count it',
    },
  },
  run: async ({ args, input, output, signal }) => {
    const { buildIndex } = await import('@qoq-med/data-climb')
    const { id, workers, ...options } = args
    try {
      const { problems, files, tally } = await buildIndex(id, {
        ...options,
        root: input.resolve(args.root),
        out: input.resolve(args.out),
        signal,
        onProgress: progress => output.progress(progressText(progress)),
        ...(workers !== undefined && { workers }),
      })
      for (const problem of problems) output.note(problem.message)
      const facts = { out: files[0], files, samples: tally.kept, ...tally }
      output.result(facts, () => factTable(facts))
    } catch (cause) {
      if (!signal.aborted) throw cause
      throw cliErrors.INTERRUPTED({ saved: `the rows made so far are kept beside ${args.out}` }, { cause })
    }
  },
})

function progressText({ rows, total, secondsLeft }: BuildProgress): string {
  const left = secondsLeft === undefined ? '' : `, ${Math.ceil(secondsLeft)} s left`
  return `${rows}${total === undefined ? '' : ` of ${total}`} rows${left}`
}
