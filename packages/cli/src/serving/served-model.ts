import type { Policy } from '@qoq-med/model'
import type { CommandInput } from '../command-input.ts'
import type { CommandOutput } from '../command-output.ts'
import { openEndpoint } from '../endpoint-policy.ts'
import { cliErrors } from '../errors.ts'
import { type OpenPolicyOptions, withPolicy } from '../local-policy.ts'
import { answeringModel, optionalModel } from '../shipped-model.ts'
import { withThreadedPolicy } from './threaded-policy.ts'

/** What is served: a model of this machine, one behind another server, or rewards and advantages alone. */
export const servedArguments = {
  model: optionalModel,
  upstream: {
    type: 'string',
    value: 'URL',
    description: 'instead: a server of OpenAI chat completions, such as http://localhost:8000/v1; with --served-model',
  },
  servedModel: { type: 'string', value: 'NAME', description: 'with --upstream: the name of the model there' },
  keyFile: {
    type: 'string',
    value: 'FILE',
    description: 'with --upstream: file with the key for it; without it the variable QOQ_API_KEY is used, if it is set',
  },
  ecgAs: {
    type: 'string',
    value: 'FORM',
    choices: ['refuse', 'signal', 'picture'],
    default: 'refuse',
    description: 'with --upstream: send an ECG as numbers (servers of this project) or drawn as 12-lead strips',
  },
  rewardsOnly: { type: 'flag', description: 'instead: no model, only /v1/rewards and /v1/advantages' },
} as const

/** The values of these arguments. */
export type ServedArguments = Omit<OpenPolicyOptions, 'folder'> & {
  readonly model: string | undefined
  readonly upstream: string | undefined
  readonly servedModel: string | undefined
  readonly keyFile: string | undefined
  readonly ecgAs: 'refuse' | 'signal' | 'picture'
  readonly rewardsOnly: boolean
  /** Threads beside the one that serves; with any, a model of this machine is in one of its own. */
  readonly workers: number
}

/** Does something with what is served. @param ended is aborted when that ends early; the reason says why */
export type ServedWork = (policy: Policy | undefined, ended: AbortSignal) => Promise<void>

interface Served {
  readonly input: CommandInput
  readonly output: CommandOutput
}

const neverEnded = new AbortController().signal

/** Requests that an upstream server gets at a time; it has a waiting list of its own. */
const upstreamConcurrency = 256
const upstreamRetries = 2

/**
 * Opens what is to be served, does some work with it, and closes it. The policy is undefined where rewards alone are served.
 *
 * @throws CLI_ARGUMENT_EXTRA, and what opening throws
 */
export async function withServed(args: ServedArguments, { input, output }: Served, work: ServedWork): Promise<void> {
  const { model, upstream, rewardsOnly, workers } = args
  if ([model !== undefined, upstream !== undefined, rewardsOnly].filter(Boolean).length > 1)
    throw cliErrors.ARGUMENT_EXTRA({
      command: 'qoq serve',
      reason: '--model, --upstream and --rewards-only exclude each other',
    })
  if (rewardsOnly) return work(undefined, neverEnded)
  if (upstream !== undefined) return withUpstream({ ...args, upstream }, { input, output }, work)
  const folder = await answeringModel(model, input, output)
  if (workers > 0) return withThreadedPolicy(openOptions(args, folder), output, work)
  return withPolicy({ ...args, folder }, output, policy => work(policy, neverEnded))
}

async function withUpstream(
  args: ServedArguments & { readonly upstream: string },
  { input, output }: Served,
  work: ServedWork,
): Promise<void> {
  const policy = await openEndpoint(
    {
      endpoint: args.upstream,
      servedModel: args.servedModel,
      keyFile: args.keyFile,
      concurrency: upstreamConcurrency,
      requestsPerMinute: undefined,
      retries: upstreamRetries,
      prices: undefined,
      tokenLimitField: 'max_tokens',
      ecgAs: args.ecgAs,
      maxPixels: args.maxPixels,
    },
    { input, output, command: 'qoq serve' },
  )
  try {
    await work(policy, neverEnded)
  } finally {
    await policy.close()
  }
}

/** The options of a policy alone: they cross to a thread. */
function openOptions(
  { threads, device, mropeRule, maxPixels, weights, cacheType, signal }: ServedArguments,
  folder: string,
): OpenPolicyOptions {
  return {
    folder,
    threads,
    mropeRule,
    maxPixels,
    signal,
    ...(device && { device }),
    ...(weights && { weights }),
    ...(cacheType && { cacheType }),
  }
}
