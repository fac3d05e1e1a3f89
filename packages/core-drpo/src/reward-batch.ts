import { nearestName } from '@qoq-med/errors'
import { drpoErrors } from './errors.ts'
import { show } from './option-schema.ts'

/** What identifies a question inside one batch. */
export type QuestionId = string | number

/**
 * The rewards of one training batch, one entry per response. B responses, in any order; plain or typed arrays.
 * The responses of a question need not be adjacent; their order inside the batch is their order in the group.
 */
export interface RewardBatch {
  /** [B] one scalar per response. */
  readonly rewards: ArrayLike<number>
  /** [B] the question that the response answers. */
  readonly questionIds: ArrayLike<QuestionId>
  /** [B] the question's clinical domain, such as `ecg` or `chest_xray`. */
  readonly domains: ArrayLike<string>
  /** [B] the demographic group of the question's patient, such as `M,A3`; an empty text or `UNK` where none is known. */
  readonly demographics?: ArrayLike<string> | undefined
  /** [B] KL_i, the response's masked token sum of the KL estimate against the reference policy (see `responseKl`). */
  readonly kl?: ArrayLike<number> | undefined
  /** [B] tokens of the response. */
  readonly lengths?: ArrayLike<number> | undefined
  /** [B] reward of the greedy response to the same question (ReMax). */
  readonly baselines?: ArrayLike<number> | undefined
  /** [B][lengths[i]] the critic's value before each token (GAE). */
  readonly values?: ArrayLike<ArrayLike<number>> | undefined
  /** [B][lengths[i]] reward of each token; without it the response's reward falls on its last token. */
  readonly tokenRewards?: ArrayLike<ArrayLike<number>> | undefined
}

/** The batch sorted into questions. Q questions in order of first appearance, B responses, D domains. */
export interface QuestionGroups {
  /** [Q] */
  readonly questionIds: readonly QuestionId[]
  /** [D] in order of first appearance. */
  readonly domains: readonly string[]
  /** [Q] index into `domains`. */
  readonly domainOf: Int32Array
  /** [B] index into `questionIds`. */
  readonly questionOf: Int32Array
  /** [Q + 1] where each question's responses start in `responses`. */
  readonly starts: Int32Array
  /** [B] response indices, question by question. */
  readonly responses: Int32Array
}

/**
 * Checks the fields that every estimator reads and sorts the responses into questions.
 *
 * @throws DRPO_FIELD_MISSING, DRPO_FIELD_INVALID, DRPO_EMPTY_BATCH, DRPO_LENGTH_MISMATCH, DRPO_VALUE_NOT_FINITE,
 * DRPO_DOMAIN_CONFLICT
 */
export function groupQuestions(batch: RewardBatch): QuestionGroups {
  checkPresent(batch)
  const count = batch.rewards.length
  if (count === 0) throw drpoErrors.EMPTY_BATCH({})
  checkLength('questionIds', batch.questionIds, count)
  checkLength('domains', batch.domains, count)
  checkFinite('rewards', batch.rewards, batch)
  const named = nameQuestions(batch, count)
  return { ...named, ...sortResponses(named.questionOf, named.questionIds.length) }
}

/** Batches come from JSON and from JavaScript too: a missing field is told from a misspelt one. */
function checkPresent(batch: RewardBatch): void {
  for (const field of ['rewards', 'questionIds', 'domains'] as const) {
    if (batch[field] !== undefined) continue
    const nearest = nearestName(field, Object.keys(batch))
    throw drpoErrors.FIELD_MISSING({ field, estimator: 'every estimator', nearest })
  }
}

function nameQuestions(
  batch: RewardBatch,
  count: number,
): Pick<QuestionGroups, 'questionIds' | 'domains' | 'domainOf' | 'questionOf'> {
  const questionIds: QuestionId[] = []
  const domains: string[] = []
  const domainOf = new Int32Array(count)
  const questionOf = new Int32Array(count)
  const indexOfQuestion = new Map<QuestionId, number>()
  const indexOfDomain = new Map<string, number>()
  for (let response = 0; response < count; response++) {
    const id = batch.questionIds[response]! // lengths were compared with count
    const domain = batch.domains[response]!
    let question = indexOfQuestion.get(id)
    if (question === undefined) {
      checkNames(id, domain, response)
      question = questionIds.push(id) - 1
      indexOfQuestion.set(id, question)
      if (!indexOfDomain.has(domain)) indexOfDomain.set(domain, domains.push(domain) - 1)
      domainOf[question] = indexOfDomain.get(domain)!
    } else if (domains[domainOf[question]!] !== domain)
      throw drpoErrors.DOMAIN_CONFLICT({ question: id, domains: [domains[domainOf[question]!]!, domain] })
    questionOf[response] = question
  }
  return { questionIds, domains, domainOf: domainOf.slice(0, questionIds.length), questionOf }
}

function checkNames(id: unknown, domain: unknown, response: number): void {
  if (typeof id !== 'string' && typeof id !== 'number')
    throw drpoErrors.FIELD_INVALID({
      field: `questionIds[${response}]`,
      expected: 'a text or a number',
      found: show(id),
    })
  if (typeof domain !== 'string')
    throw drpoErrors.FIELD_INVALID({ field: `domains[${response}]`, expected: 'a text', found: show(domain) })
}

function sortResponses(questionOf: Int32Array, questions: number): Pick<QuestionGroups, 'starts' | 'responses'> {
  const starts = new Int32Array(questions + 1)
  for (const question of questionOf) starts[question + 1]! += 1
  for (let question = 0; question < questions; question++) starts[question + 1]! += starts[question]!
  const next = starts.slice(0, questions)
  const responses = new Int32Array(questionOf.length)
  questionOf.forEach((question, response) => {
    responses[next[question]!++] = response
  })
  return { starts, responses }
}

/**
 * The number of responses that every question has.
 *
 * @throws DRPO_RAGGED_GROUPS when two questions differ
 */
export function commonGroupSize(groups: QuestionGroups): number {
  const { starts, questionIds } = groups
  const groupSize = starts[1]!
  for (let question = 1; question < questionIds.length; question++) {
    const size = starts[question + 1]! - starts[question]!
    if (size !== groupSize)
      throw drpoErrors.RAGGED_GROUPS({
        question: questionIds[question]!,
        size,
        firstQuestion: questionIds[0]!,
        firstSize: groupSize,
      })
  }
  return groupSize
}

/** Refuses questions with a single response. @throws DRPO_GROUP_TOO_SMALL */
export function checkGroupSizes(groups: QuestionGroups, estimator: string): void {
  groups.questionIds.forEach((question, index) => {
    const size = groups.starts[index + 1]! - groups.starts[index]!
    if (size < 2) throw drpoErrors.GROUP_TOO_SMALL({ question, size, estimator })
  })
}

/** Refuses a field that does not have one entry per response. @throws DRPO_LENGTH_MISMATCH */
export function checkLength(field: string, values: ArrayLike<unknown>, expected: number): void {
  if (values.length !== expected)
    throw drpoErrors.LENGTH_MISMATCH({ field, length: values.length, expected, like: 'rewards' })
}

/** Refuses NaN and infinities, naming the response and its question. @throws DRPO_VALUE_NOT_FINITE */
export function checkFinite(field: string, values: ArrayLike<number>, batch: RewardBatch): void {
  for (let response = 0; response < values.length; response++) {
    const value = values[response]!
    if (!Number.isFinite(value))
      throw drpoErrors.VALUE_NOT_FINITE({ field, value, response, question: batch.questionIds[response]! })
  }
}

/**
 * Reads an optional field of one number per response that an estimator needs.
 *
 * @throws DRPO_FIELD_MISSING, DRPO_LENGTH_MISMATCH, DRPO_VALUE_NOT_FINITE
 */
export function requireField(
  batch: RewardBatch,
  field: 'kl' | 'lengths' | 'baselines',
  estimator: string,
): ArrayLike<number> {
  const values = batch[field]
  if (values === undefined) throw drpoErrors.FIELD_MISSING({ field, estimator })
  checkLength(field, values, batch.rewards.length)
  checkFinite(field, values, batch)
  return values
}
