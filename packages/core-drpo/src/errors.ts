import { defineErrors } from '@qoq-med/errors'

/** Says "did you mean" when a near name exists, and otherwise lists what there is. */
function suggestion(p: { nearest: string | undefined; known: readonly string[] }): string {
  return p.nearest === undefined ? `Known are ${p.known.join(', ')}.` : `Did you mean ${p.nearest}?`
}

/** Every error of this package; `docs/errors.md` has the same table. */
export const drpoErrors = defineErrors('DRPO', {
  EMPTY_BATCH: {
    message: () => 'The batch has no responses.',
    hint: () => 'Pass at least one question with two responses.',
  },
  LENGTH_MISMATCH: {
    message: (p: { field: string; length: number; expected: number; like: string }) =>
      `${p.field} has ${p.length} entries, but ${p.like} has ${p.expected}.`,
    hint: (p: { field: string; like: string }) => `Give ${p.field} one entry per entry of ${p.like}.`,
  },
  VALUE_NOT_FINITE: {
    message: (p: { field: string; value: number; response: number; question: string | number }) =>
      `${p.field} of response ${p.response} (question ${p.question}) is ${p.value}, which is not a finite number.`,
    hint: (p: { field: string }) =>
      `Give every response a finite number in ${p.field}; look for a division by zero where it is computed.`,
  },
  GROUP_TOO_SMALL: {
    message: (p: { question: string | number; size: number; estimator: string }) =>
      `Question ${p.question} has ${p.size} response, and ${p.estimator} compares responses of one question.`,
    hint: () => 'Sample at least two responses per question.',
  },
  RAGGED_GROUPS: {
    message: (p: { question: string | number; size: number; firstQuestion: string | number; firstSize: number }) =>
      `Question ${p.question} has ${p.size} responses, but question ${p.firstQuestion} has ${p.firstSize}.`,
    hint: () => 'DRPO clusters reward vectors of one length: sample the same number of responses for every question.',
  },
  DOMAIN_CONFLICT: {
    message: (p: { question: string | number; domains: readonly string[] }) =>
      `Question ${p.question} appears in the domains ${p.domains.join(' and ')}.`,
    hint: () => 'Give all responses of a question one domain, and different questions different ids.',
  },
  FIELD_MISSING: {
    message: (p: { field: string; estimator: string }) => `The batch has no ${p.field}, which ${p.estimator} needs.`,
    hint: (p: { field: string; nearest?: string | undefined }) =>
      p.nearest === undefined ? `Add ${p.field} to the batch.` : `Did you mean ${p.field} by ${p.nearest}?`,
  },
  FIELD_INVALID: {
    message: (p: { field: string; expected: string; found: string }) =>
      `${p.field} should be ${p.expected}, but is ${p.found}.`,
    hint: (p: { field: string; expected: string }) => `Pass ${p.field} as ${p.expected}.`,
  },
  FIELD_UNKNOWN: {
    message: (p: { field: string; nearest: string | undefined; known: readonly string[] }) =>
      `A batch of rewards has no field ${p.field}.`,
    hint: suggestion,
  },
  TOKEN_ROW_MISMATCH: {
    message: (p: { field: string; response: number; length: number; expected: number }) =>
      `${p.field} of response ${p.response} has ${p.length} tokens, but the response is ${p.expected} tokens long.`,
    hint: (p: { field: string }) => `Give ${p.field} one number per token of the response, without padding.`,
  },
  LENGTH_INVALID: {
    message: (p: { length: number; response: number; question: string | number }) =>
      `The length of response ${p.response} (question ${p.question}) is ${p.length}, which is not a positive integer.`,
    hint: () => 'Count the tokens that the policy wrote, its end token included.',
  },
  UNKNOWN_ESTIMATOR: {
    message: (p: { estimator: string; nearest: string | undefined; known: readonly string[] }) =>
      `There is no advantage estimator ${p.estimator}.`,
    hint: suggestion,
  },
  ESTIMATOR_EXISTS: {
    message: (p: { estimator: string }) => `An advantage estimator ${p.estimator} is already registered.`,
    hint: () => 'Choose another name, or remove the first one with the function that its registration returned.',
  },
  UNKNOWN_OPTION: {
    message: (p: { owner: string; option: string; nearest: string | undefined; known: readonly string[] }) =>
      `${p.owner} has no option ${p.option}.`,
    hint: suggestion,
  },
  INVALID_OPTION: {
    message: (p: { owner: string; option: string; expected: string; found: string }) =>
      `Option ${p.option} of ${p.owner} should be ${p.expected}, but is ${p.found}.`,
    hint: (p: { option: string; expected: string }) => `Set ${p.option} to ${p.expected}.`,
  },
  STATE_INVALID: {
    message: (p: { reason: string }) => `The DRPO history cannot be used: ${p.reason}.`,
    hint: () => 'Pass the state that the previous step returned, or leave it out to start anew.',
  },
  ZERO_TEMPERATURE: {
    message: (p: { domain: string; temperature: number }) =>
      `A cluster of domain ${p.domain} has the temperature ${p.temperature}, and its advantages would be divided by it.`,
    hint: () => 'Set clampClusterTemperature to true; the public code divides here and fills the batch with NaN.',
  },
  NON_POSITIVE_MEAN: {
    message: (p: { part: string; mean: number }) =>
      `A ${p.part} has the mean reward ${p.mean} and answers of unequal reward: divided by T = ε they would swamp the batch.`,
    hint: () => 'Set temperatureFloor with nonPositiveMean: clamp, or keep penalties smaller than what answers earn.',
  },
  REWARD_NEGATIVE: {
    message: (p: { value: number; response: number; question: string | number }) =>
      `Response ${p.response} to question ${p.question} has the reward ${p.value}: a negative mean would turn advantages round.`,
    hint: () => 'Use rewards of at least 0, such as a sum without penalties.',
  },
  DEMOGRAPHICS_CONFLICT: {
    message: (p: { question: string | number }) =>
      `The responses to question ${p.question} name two demographic groups.`,
    hint: () => "Give every response to a question the group of the question's patient.",
  },
  RESPONSE_UNKNOWN: {
    message: (p: { response: number; count: number }) => `There is no response ${p.response} among ${p.count}.`,
    hint: (p: { count: number }) => `Pass an integer from 0 to ${p.count - 1}.`,
  },
  STAGES_MISSING: {
    message: (p: { estimator: string }) => `The result of ${p.estimator} was computed without stages.`,
    hint: () => 'Leave out `stages: false` when the result is to be explained.',
  },
})
