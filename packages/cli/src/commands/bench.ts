import { spawnSync } from 'node:child_process'
import { benchDocument, benchText } from '../bench/bench-report.ts'
import { selectRows } from '../bench/bench-rows.ts'
import { describeMachine } from '../bench/machine.ts'
import { measureRow, type RowResult } from '../bench/measure-row.ts'
import { textTable } from '../text-table.ts'
import { defineCommand } from '../command.ts'
import { cliErrors } from '../errors.ts'
import { deviceArgument } from '../local-policy.ts'

/** Rounds of `--quick`: enough to see that a row works. */
const quickRounds = 1

/** `qoq bench`: our work beside that of other libraries, in one run. */
export const benchCommand = defineCommand({
  meta: {
    name: 'bench',
    description: 'Measure training, generation, rewards and metrics, beside other libraries where they are given.',
    examples: ['qoq bench drpo rewards eval', 'qoq bench tensor --python peers/bin/python'],
  },
  args: {
    names: { type: 'positionals', description: 'groups or rows to measure; default: all' },
    list: { type: 'flag', description: 'list the rows instead' },
    python: {
      type: 'string',
      value: 'PATH',
      description: 'interpreter that has the peers, such as torch, transformers and trl',
    },
    llama: { type: 'string', value: 'DIR', description: 'folder in which node-llama-cpp is installed' },
    gguf: { type: 'string', value: 'FILE', description: 'SmolLM2-135M as GGUF, for the rows that need a real model' },
    data: {
      type: 'string',
      value: 'DIR',
      description: 'folder of real files (dicom-general, …), for the rows that read them',
    },
    large: {
      type: 'string',
      value: 'DIR',
      description:
        'folder of a 3 B or 7 B model, with q4_0.gguf and mmproj.gguf of its shapes for llama.cpp, for the rows of real sizes',
    },
    rounds: { type: 'number', value: 'N', integer: true, min: 1, max: 1000, description: 'rounds per row' },
    quick: { type: 'flag', description: 'one round per row: shows that it works, not how fast' },
    threads: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 1,
      max: 256,
      default: 2,
      description: 'threads of each',
    },
    device: deviceArgument,
  },
  run: async ({ args, input, output, signal }) => {
    const rows = selectRows(args.names)
    if (args.list) {
      output.results(rows, () => textTable(rows.map(({ name, work }) => [name, work])))
      return
    }
    const file = (name: string | undefined): string | undefined =>
      name === undefined ? undefined : input.resolve(name)
    const settings = {
      python: args.python === undefined ? undefined : pythonAt(args.python, input.resolve(args.python)),
      llama: file(args.llama),
      gguf: file(args.gguf),
      data: file(args.data),
      large: file(args.large),
      threads: args.threads,
      device: args.device,
      rounds: args.rounds ?? (args.quick ? quickRounds : undefined),
    }
    const results: RowResult[] = []
    for (const [i, row] of rows.entries()) {
      const place = `${i + 1}/${rows.length} ${row.name}`
      output.progress(place)
      const onRound = (done: number, all: number): void => output.progress(`${place}, round ${done}/${all}`)
      results.push(await measureRow(row, settings, { signal, onRound }))
    }
    const document = benchDocument(results, {
      date: new Date().toISOString().slice(0, 10),
      threads: args.threads,
      device: args.device,
      machine: describeMachine(),
    })
    output.result(document, () => benchText(results, document))
  },
})

/** Checks that there is a Python: by its path, or by a name that the system finds. @throws CLI_BENCH_PYTHON_INVALID */
function pythonAt(given: string, absolute: string): string {
  const program = /[\\/]/.test(given) ? absolute : given
  const { error, status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 30_000 })
  if (error === undefined && status === 0 && stdout.startsWith('Python 3')) return program
  const reason = error?.message ?? `"--version" says "${stdout.slice(0, 80).trim()}"`
  throw cliErrors.BENCH_PYTHON_INVALID({ path: given, reason })
}
