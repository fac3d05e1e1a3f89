import type { Sample, Split } from '@qoq-med/data-climb'
import type { CommandInput } from '../command-input.ts'
import type { CommandOutput } from '../command-output.ts'
import { cliErrors } from '../errors.ts'

/** Which samples are evaluated. */
export interface SampleChoice {
  readonly boxReaders: 'majority' | 'one'
  readonly seed: number
  readonly data: readonly string[]
  readonly split: Split | 'all'
  readonly maxSamples: number | undefined
  readonly onError: 'throw' | 'skip'
}

/** Opens the datasets of a command line. @throws CLI_ARGUMENT_MISSING, CLI_VALUE_INVALID, and what opening them throws */
export async function openSamples(
  { data, split, maxSamples, onError, boxReaders, seed }: SampleChoice,
  input: CommandInput,
  output: Pick<CommandOutput, 'note'>,
): Promise<Sample[]> {
  if (data.length === 0) throw cliErrors.ARGUMENT_MISSING({ name: '--data ID=DIR', command: 'qoq eval' })
  const { openDataset } = await import('@qoq-med/data-climb')
  const { drawSamples } = await import('@qoq-med/eval')
  const opened = data.map(async value => {
    const [id = '', root = ''] = splitOnce(value, '=')
    if (id === '' || root === '') throw cliErrors.VALUE_INVALID({ name: '--data', value, expected: 'ID=DIR' })
    const { samples, problems } = await openDataset(id, { root: input.resolve(root), onError, boxReaders })
    if (problems.length > 0) output.note(`${id}: left out ${problems.length} rows with missing or broken files`)
    const chosen = samples.filter(sample => split === 'all' || sample.split === split)
    return maxSamples === undefined ? chosen : drawSamples(chosen, maxSamples, { seed })
  })
  return (await Promise.all(opened)).flat()
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
