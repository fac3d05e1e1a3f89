import { cliErrors } from '../errors.ts'
import { measureNames, type MeasureName } from './base/bench-row.ts'
import type { Measure } from './base/measurement.ts'

/** What can be measured; a module is loaded only by the process that measures it. */
const measures = {
  'adamw-step': async () => (await import('./measures/adamw-step.ts')).adamwStep,
  drpo: async () => (await import('./measures/drpo.ts')).drpo,
  generation: async () => (await import('./measures/generation.ts')).generation,
  'http-share': async () => (await import('./measures/http-share.ts')).httpShare,
  'logprob-gap': async () => (await import('./measures/logprob-gap.ts')).logprobGap,
  'packed-model': async () => (await import('./measures/packed-model.ts')).packedModel,
  'policy-step': async () => (await import('./measures/policy-step.ts')).policyStep,
  'score-responses': async () => (await import('./measures/score-responses.ts')).scoreResponses,
  'served-chat': async () => (await import('./measures/served-chat.ts')).servedChat,
  metrics: async () => (await import('./measures/metrics.ts')).metrics,
  'read-data': async () => (await import('./measures/read-data.ts')).readData,
  'training-step': async () => (await import('./measures/training-step.ts')).trainingStep,
} as const satisfies Readonly<Record<MeasureName, () => Promise<Measure>>>

/** Finds a measurement. @throws CLI_VALUE_INVALID */
export function measureNamed(name: string): Promise<Measure> {
  const known: Readonly<Record<string, () => Promise<Measure>>> = measures
  const load = Object.hasOwn(known, name) ? known[name] : undefined
  if (load) return load()
  throw cliErrors.VALUE_INVALID({
    name: 'The measurement',
    value: name,
    expected: `one of ${measureNames.join(', ')}`,
    known: measureNames,
  })
}
