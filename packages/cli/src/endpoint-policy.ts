import { readFile } from 'node:fs/promises'
import type { RemotePolicy } from '@qoq-med/model'
import type { CommandInput } from './command-input.ts'
import type { CommandOutput } from './command-output.ts'
import { cliErrors } from './errors.ts'

/** How an endpoint is named on a command line. */
export interface EndpointArguments {
  readonly endpoint: string
  readonly servedModel: string | undefined
  readonly keyFile: string | undefined
  readonly concurrency: number
  readonly requestsPerMinute: number | undefined
  readonly retries: number
  readonly prices: string | undefined
  readonly tokenLimitField: 'max_tokens' | 'max_completion_tokens'
  readonly ecgAs: 'refuse' | 'signal' | 'picture'
  readonly maxPixels: number | undefined
}

/**
 * Opens a model behind an endpoint. The key comes from a file or from QOQ_API_KEY, and is said nowhere.
 *
 * @throws CLI_ARGUMENT_MISSING without a model's name, CLI_FILE_MISSING, MODEL_REMOTE_URL
 */
export async function openEndpoint(
  args: EndpointArguments,
  { input, output, command }: { input: CommandInput; output: Pick<CommandOutput, 'verbose' | 'note'>; command: string },
): Promise<RemotePolicy> {
  const { endpoint: url, servedModel: model, concurrency, requestsPerMinute, retries, ecgAs, maxPixels } = args
  if (model === undefined) throw cliErrors.ARGUMENT_MISSING({ name: '--served-model NAME', command })
  const [{ RemotePolicy }, { defaultImageProcessor }] = await Promise.all([
    import('@qoq-med/model'),
    import('@qoq-med/encoders'),
  ])
  const apiKey = await keyOf(args.keyFile, input)
  return new RemotePolicy({
    url,
    model,
    ...(apiKey && { apiKey }),
    concurrency,
    ...(requestsPerMinute !== undefined && { requestsPerMinute }),
    retries,
    tokenLimitField: args.tokenLimitField,
    ...(args.prices !== undefined && { prices: parsePrices(args.prices) }),
    ecgAs,
    drawEcg: async recording => {
      const { ecgStrip, svgToPng } = await import('@qoq-med/data-climb')
      return svgToPng(ecgStrip(recording))
    },
    ...(maxPixels !== undefined && { pictures: { ...defaultImageProcessor, maxPixels } }),
    ...(output.verbose && { onRetry: reason => output.note(`Trying again: ${reason}`) }),
  })
}

/** @throws CLI_VALUE_INVALID */
function parsePrices(text: string): { readonly promptMillion: number; readonly completionMillion: number } {
  const [promptMillion = Number.NaN, completionMillion = Number.NaN, ...rest] = text.split(',').map(Number)
  if (rest.length > 0 || !(promptMillion >= 0) || !(completionMillion >= 0))
    throw cliErrors.VALUE_INVALID({ name: '--prices', value: text, expected: 'two numbers, such as 2.5,10' })
  return { promptMillion, completionMillion }
}

async function keyOf(file: string | undefined, input: CommandInput): Promise<string | undefined> {
  if (file === undefined) return input.env['QOQ_API_KEY']
  const text = await readFile(input.resolve(file), 'utf8').catch((cause: unknown) => {
    throw cliErrors.FILE_MISSING({ path: file, what: 'key file' }, { cause })
  })
  return text.trim()
}
