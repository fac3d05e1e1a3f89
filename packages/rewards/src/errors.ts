import { defineErrors, nearestName } from '@qoq-med/errors'

function suggestion(typed: string, known: readonly string[]): string {
  const nearest = nearestName(typed, known)
  return nearest === undefined ? `Choose one of ${known.join(', ')}.` : `Did you mean ${nearest}?`
}

/** Every error this package can raise or report; codes start with `REWARDS_`. */
export const rewardsErrors = defineErrors('REWARDS', {
  UNKNOWN_REWARD: {
    message: (p: { name: string; known: readonly string[] }) =>
      `There is no reward named ${p.name}; the built-in ones are ${p.known.join(', ')}.`,
    hint: p => `${suggestion(p.name, p.known)} A reward of your own is passed as { weight, reward }.`,
  },
  UNKNOWN_PRESET: {
    message: (p: { name: string; known: readonly string[] }) =>
      `There is no preset named ${p.name}; there are ${p.known.join(', ')}.`,
    hint: p => suggestion(p.name, p.known),
  },
  WEIGHT_INVALID: {
    message: (p: { name: string; weight: unknown }) =>
      `The weight of reward ${p.name} is ${String(p.weight)}; it must be a finite number of at least 0.`,
    hint: () => 'Give every reward a weight such as 0.2; weights are divided by their sum.',
  },
  WEIGHTS_EMPTY: {
    message: () => 'No reward has a weight above 0, so there is nothing to combine.',
    hint: () => 'Give at least one reward a positive weight, for example { accuracy: 1 }.',
  },
  MASK_SIZE: {
    message: (p: { width: number; height: number; pixels: number | undefined }) =>
      `A mask says ${p.width} by ${p.height} pixels but has ${p.pixels ?? 'no'} pixels.`,
    hint: () => 'width and height are whole numbers from 1 to 65,535 and their product is the number of pixels.',
  },
  MASK_RUNS: {
    message: (p: { index: number; run: unknown }) =>
      `Run ${p.index} of a mask is ${String(p.run)}; runs are whole numbers of at least 0.`,
    hint: () => 'Runs are lengths in row-major order that start with the zeros.',
  },
  TRANSFORM_INVALID: {
    message: (p: { found: number }) =>
      `The transform between two views has ${p.found} finite numbers; an affine 2 by 3 transform has 6.`,
    hint: () => "Write [a, b, c, d, e, f] for x' = a x + b y + c, y' = d x + e y + f, or pass a function of a box.",
  },
  ROW_INVALID: {
    message: (p: { field: string; expected: string; found: string }) =>
      `The field ${p.field} of a reward row is ${p.found}; it must be ${p.expected}.`,
    hint: () =>
      'See the row contract of `qoq rewards`: id, response, answer, labels?, aliases?, negativeLabels?, answerMode?, image?, boxes?, mask?, modality?, views?.',
  },
  ASYNC_REWARD: {
    message: (p: { reward: string }) => `Reward ${p.reward} answered with a promise, but the call is synchronous.`,
    hint: () => 'Score with scoreBatch, which waits for promises and knows timeouts.',
  },
  MODULE_UNREADABLE: {
    message: (p: { path: string; reason?: string }) =>
      `The reward module ${p.path} could not be imported${p.reason ? `: ${p.reason}` : ''}.`,
    hint: () => 'Check the path and that the file is an ES module which runs on its own; the cause has the details.',
  },
  MODULE_WITHOUT_REWARD: {
    message: (p: { path: string; exported: readonly string[] }) =>
      `The reward module ${p.path} exports no reward; it exports ${p.exported.join(', ') || 'nothing'}.`,
    hint: () => 'Export a function (response, truth) => ({ score }) as default or as `reward`.',
  },
  THREW: {
    message: (p: { reward: string; sampleId: string; reason?: string }) =>
      `Reward ${p.reward} threw on sample ${p.sampleId}${p.reason ? ` (${p.reason})` : ''}; it counts as 0.`,
    hint: () => 'The cause has the stack; a reward must answer every response, however malformed.',
  },
  NOT_FINITE: {
    message: (p: { reward: string; sampleId: string; score: string }) =>
      `Reward ${p.reward} answered ${p.score} for sample ${p.sampleId}; it counts as 0.`,
    hint: () => 'Return { score } with a number in [0, 1], or { notApplicable: reason }.',
  },
  OUT_OF_RANGE: {
    message: (p: { reward: string; sampleId: string; score: number }) =>
      `Reward ${p.reward} answered ${p.score} for sample ${p.sampleId}, outside [0, 1]; it counts as 0.`,
    hint: () => 'Scale the score into [0, 1]; a penalty is 1 minus its size.',
  },
  TIMEOUT: {
    message: (p: { reward: string; sampleId: string; timeoutMs: number }) =>
      `Reward ${p.reward} did not answer within ${p.timeoutMs} ms on sample ${p.sampleId}; it counts as 0.`,
    hint: () => 'Make the reward faster or raise timeoutMs.',
  },
})
