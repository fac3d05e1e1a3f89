import path from 'node:path'
import type { Sample } from '@qoq-med/data-climb'
import type { EvaluateOptions, EvaluationResults } from '@qoq-med/eval'
import type { Grammar, LocalPolicy } from '@qoq-med/model'
import type { CommandContext } from '../command.ts'
import { readInputFile } from '../command-input.ts'
import { type EndpointArguments, openEndpoint } from '../endpoint-policy.ts'
import { cliErrors } from '../errors.ts'
import { withPolicy } from '../local-policy.ts'
import { answeringModel } from '../shipped-model.ts'
import { version } from '../version.ts'
import type { evalArguments } from './eval-arguments.ts'
import { configOf, settingsOf } from './evaluation-settings.ts'
import { openSamples } from './open-samples.ts'
import { readSubgroups, type Subgroups } from './subgroups-file.ts'

type Context = CommandContext<typeof evalArguments>

/** What an evaluation is told whoever is evaluated. */
type CommonOptions = Omit<EvaluateOptions, 'policy' | 'sampling'>

/** Answers of a reasoning model have room for that many tokens, where the model has. */
const reasoningTokens = 2048

/** Where a label stands that is ranked without an answer: in the box, after no reasoning. */
const rankedHead = '<think></think>\\boxed{'

/** Evaluates a model here (the one that ships where none is named), one behind an endpoint, or predictions from elsewhere. */
export async function runEvaluation(context: Context): Promise<EvaluationResults> {
  const { args, input, output } = context
  const given = (['model', 'endpoint', 'predictions'] as const).filter(name => args[name] !== undefined)
  if (given.length > 1)
    throw cliErrors.ARGUMENT_EXTRA({
      command: 'qoq eval',
      reason: `one of ${given.map(name => `--${name}`).join(' and ')} says who is evaluated`,
    })
  const samples = await openSamples(args, input, output)
  const common = await commonOptions(context, samples)
  if (args.predictions !== undefined) return evaluatePredictions(args.predictions, context, common)
  if (args.endpoint !== undefined) return evaluateEndpoint({ ...args, endpoint: args.endpoint }, context, common)
  return evaluateModel(context, common)
}

async function commonOptions(
  { args, input, output, signal }: Context,
  samples: readonly Sample[],
): Promise<CommonOptions> {
  const { seed, resamples, onError, onFailure, maxFailures, balancedAccuracy, labelSet, inputs, answers } = args
  const subgroups = await subgroupsOf(args.subgroups, samples, input)
  if (subgroups) output.note(`Subgroups are known for ${subgroups.matched} of ${samples.length} samples`)
  return {
    samples,
    outDir: input.resolve(args.out),
    mode: answers,
    inputs,
    ...(subgroups && { groupsOf: subgroups.groupsOf }),
    minPatients: args.minPatients,
    intervals: { seed, resamples },
    reading: { balancedAccuracy, labelSet },
    onError,
    onFailure,
    maxFailureShare: maxFailures,
    config: configOf(args),
    settings: settingsOf(args),
    versions: { '@qoq-med/cli': version, node: process.version },
    signal,
    onProgress: ({ done, total, failed }) =>
      output.progress(`Answered ${done} of ${total} samples${failed > 0 ? `, ${failed} left out` : ''}`),
  }
}

async function subgroupsOf(
  file: string | undefined,
  samples: readonly Sample[],
  input: Context['input'],
): Promise<Subgroups | undefined> {
  if (file === undefined) return undefined
  const text = (await readInputFile(input.resolve(file), 'subgroup table')).toString('utf8')
  return readSubgroups(text, file, samples)
}

async function evaluatePredictions(
  file: string,
  { args, input }: Context,
  common: CommonOptions,
): Promise<EvaluationResults> {
  await readInputFile(input.resolve(file), 'prediction file') // an error of ours where it is not there
  const { scorePredictions } = await import('@qoq-med/eval')
  const name = args.name ?? path.basename(file).replace(/\.jsonl?$/, '')
  return scorePredictions({ ...common, file: input.resolve(file), name, onMissing: args.missing })
}

async function evaluateEndpoint(
  endpoint: EndpointArguments,
  { args, input, output }: Context,
  common: CommonOptions,
): Promise<EvaluationResults> {
  if (args.answers === 'grammar')
    throw cliErrors.VALUE_INVALID({
      name: '--answers',
      value: args.answers,
      expected: 'generate or score, with --endpoint',
      known: ['generate', 'score'],
    })
  const policy = await openEndpoint(endpoint, { input, output, command: 'qoq eval' })
  const { evaluate } = await import('@qoq-med/eval')
  const { maxNewTokens = reasoningTokens, temperature, seed, concurrency } = args
  const results = await evaluate({
    ...common,
    policy,
    sampling: { temperature, maxNewTokens, seed },
    fingerprint: [endpoint.endpoint, endpoint.maxPixels ?? 'default', endpoint.ecgAs, args.boxReaders].join(' '),
    seenSize: stored => policy.seenSize(stored),
    concurrency,
    scoreLabels: async (prompt, labels) => {
      const { labelShares } = await import('@qoq-med/model')
      return labelShares(
        await policy.score(
          prompt,
          labels.map(label => `${rankedHead}${label}}`),
        ),
      )
    },
  })
  const { requests, promptTokens, completionTokens, cost } = policy.use
  const price = cost === undefined ? '' : `; cost ${cost.toFixed(4)}`
  output.note(`Asked ${requests} times: ${promptTokens} tokens of prompts, ${completionTokens} of answers${price}`)
  return results
}

async function evaluateModel(
  { args, input, output, signal }: Context,
  common: CommonOptions,
): Promise<EvaluationResults> {
  const folder = await answeringModel(args.model, input, output)
  return withPolicy({ ...args, folder, signal }, output, async (policy, answering) => {
    const { evaluate } = await import('@qoq-med/eval')
    const { labelProbabilities, reasonedLabels } = await import('@qoq-med/model')
    const { temperature, seed, batchSize } = args
    const grammars = new Map<string, Grammar>()
    for (const { dataset, labels, answerMode } of args.answers === 'grammar' ? common.samples : [])
      if (!grammars.has(dataset)) grammars.set(dataset, reasonedLabels(labels, { multiple: answerMode === 'multi' }))
    return evaluate({
      ...common,
      policy,
      sampling: { temperature, maxNewTokens: args.maxNewTokens ?? roomFor(policy), seed },
      fingerprint: localFingerprint(answering.fingerprint(), args),
      seenSize: policy.model.seenSize,
      batchSize,
      grammarOf: ({ dataset }) => grammars.get(dataset)!, // made above for every dataset
      scoreLabels: async (prompt, labels) => {
        const asked = { prompt: policy.model.encode(prompt), answered: rankedHead, labels, signal }
        const probabilities = await labelProbabilities(policy, asked)
        return labels.map(label => probabilities?.[label] ?? Number.NaN)
      },
    })
  })
}

/** What answers depend on beside prompts and sampling; the plain hash of the weights where nothing else was chosen. */
function localFingerprint(weights: string, { boxReaders, maxPixels }: Context['args']): string {
  const chosen = [...(boxReaders === 'majority' ? [] : [boxReaders]), ...(maxPixels === undefined ? [] : [maxPixels])]
  return [weights, ...chosen].join(' ')
}

/** Half of what a small model has room for, since the prompt takes room, too. */
function roomFor({ info }: LocalPolicy): number {
  return Math.min(reasoningTokens, Math.floor(info.maxPositions / 2))
}
