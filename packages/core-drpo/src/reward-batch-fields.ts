import { nearestName } from '@qoq-med/errors'
import { drpoErrors } from './errors.ts'
import { show } from './option-schema.ts'
import type { RewardBatch } from './reward-batch.ts'

/** What a field of a batch holds: one number, count, id or text per response, or one number per token of each. */
export type BatchFieldShape = 'numbers' | 'counts' | 'ids' | 'texts' | 'token-numbers'

/** One field of a batch. */
export interface BatchField {
  readonly shape: BatchFieldShape
  readonly isRequired: boolean
  readonly about: string
}

/** The fields of a batch by name: the one list of them for programs, requests and the command line. */
export const rewardBatchFields: Readonly<Record<keyof RewardBatch, BatchField>> = {
  rewards: { shape: 'numbers', isRequired: true, about: 'one scalar per response' },
  questionIds: { shape: 'ids', isRequired: true, about: 'the question that each response answers' },
  domains: { shape: 'texts', isRequired: true, about: "each question's clinical domain" },
  demographics: { shape: 'texts', isRequired: false, about: "the demographic group of each question's patient" },
  kl: { shape: 'numbers', isRequired: false, about: "each response's divergence from the reference policy" },
  lengths: { shape: 'counts', isRequired: false, about: 'tokens of each response' },
  baselines: { shape: 'numbers', isRequired: false, about: 'reward of the greedy response to the same question' },
  values: { shape: 'token-numbers', isRequired: false, about: "the critic's value before each token" },
  tokenRewards: { shape: 'token-numbers', isRequired: false, about: 'reward of each token' },
}

/**
 * Reads a batch that comes from outside, such as a JSON document. The texts `NaN`, `Infinity` and `-Infinity`, which JSON has
 * no numbers for, are read as such, and refused by estimators with the response that has them.
 *
 * @throws DRPO_FIELD_INVALID for what is no batch, and DRPO_FIELD_UNKNOWN with the nearest name
 * @throws DRPO_FIELD_MISSING for a field that every estimator reads
 */
export function parseRewardBatch(given: unknown): RewardBatch {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw drpoErrors.FIELD_INVALID({ field: 'the batch', expected: 'an object', found: show(given) })
  const known = Object.keys(rewardBatchFields)
  const unknown = Object.keys(given).find(name => !known.includes(name))
  if (unknown !== undefined)
    throw drpoErrors.FIELD_UNKNOWN({ field: unknown, nearest: nearestName(unknown, known), known })
  const fields = given as Readonly<Record<string, unknown>> // with no names but the table's
  const batch = Object.entries(rewardBatchFields).flatMap(([name, { shape, isRequired }]) => {
    if (fields[name] !== undefined) return [[name, readList(name, fields[name], shape)]]
    if (isRequired) throw drpoErrors.FIELD_MISSING({ field: name, estimator: 'every estimator' })
    return []
  })
  return Object.fromEntries(batch) as RewardBatch // every field of the table, each checked against its shape
}

interface Shape {
  readonly expected: string
  /** The entry as estimators take it; undefined where it is none. */
  readonly read: (entry: unknown) => unknown
}

const notFinite: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, '-Infinity': -Infinity }

function numberOf(entry: unknown): number | undefined {
  if (typeof entry === 'number') return entry
  return typeof entry === 'string' && Object.hasOwn(notFinite, entry) ? notFinite[entry] : undefined
}

const shapes: Readonly<Record<Exclude<BatchFieldShape, 'token-numbers'>, Shape>> = {
  numbers: { expected: 'a number', read: numberOf },
  counts: {
    expected: 'a whole number that is not negative',
    read: entry => (Number.isSafeInteger(entry) && Number(entry) >= 0 ? entry : undefined),
  },
  ids: {
    expected: 'a text or a number',
    read: entry => (typeof entry === 'string' || typeof entry === 'number' ? entry : undefined),
  },
  texts: { expected: 'a text', read: entry => (typeof entry === 'string' ? entry : undefined) },
}

function readList(field: string, value: unknown, shape: BatchFieldShape): readonly unknown[] {
  if (!Array.isArray(value)) throw drpoErrors.FIELD_INVALID({ field, expected: 'a list', found: show(value) })
  if (shape === 'token-numbers')
    return value.map((row: unknown, response) => readList(`${field}[${response}]`, row, 'numbers'))
  const { expected, read } = shapes[shape]
  return value.map((entry: unknown, response) => {
    const known = read(entry)
    if (known === undefined)
      throw drpoErrors.FIELD_INVALID({ field: `${field}[${response}]`, expected, found: kindOf(entry) })
    return known
  })
}

/** Names the kind of an entry, never the entry: ids and domains may be words of a patient's record. */
function kindOf(entry: unknown): string {
  if (typeof entry === 'object' || typeof entry === 'number') return show(entry)
  return entry === undefined ? 'missing' : `a ${typeof entry}`
}
