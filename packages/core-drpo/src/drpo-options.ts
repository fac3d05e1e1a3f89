import { clusterOptionTable } from './cluster-options.ts'
import type { OptionTable, OptionValues } from './option-schema.ts'

/** The options of DRPO with their ranges; the defaults are the paper's. */
export const drpoOptionTable = {
  epsilon: {
    type: 'number',
    default: 1e-6,
    minimum: 1e-100,
    maximum: 1,
    about: 'ε of eqs. 1 and 2, and of the damping threshold',
  },
  deviation: {
    type: 'choice',
    default: 'sample',
    choices: ['sample', 'population'],
    about: 'n - 1 or n in every deviation',
  },
  sortRewards: {
    type: 'boolean',
    default: false,
    about: 'sort each reward vector before clustering: a group is a set',
  },
  domainOnly: { type: 'boolean', default: false, about: 'leave out the cluster temperature' },
  noKl: { type: 'boolean', default: false, about: 'leave out the damping of eq. 5' },
  ...clusterOptionTable,
  dampingQuantile: { type: 'number', default: 0.9, minimum: 0, maximum: 1, about: 'p of t_p' },
  dampingSign: {
    type: 'choice',
    default: 'positive',
    choices: ['positive', 'both'],
    about: "damp by max(s'·k, 0) or by |s'|·k",
  },
  dampingQuantileOver: {
    type: 'choice',
    default: 'all',
    choices: ['all', 'nonzero', 'positive'],
    about: 'values t_p is taken over',
  },
  dampingScope: {
    type: 'choice',
    default: 'response',
    choices: ['response', 'group'],
    about: 'one factor per response or per question',
  },
  dampingKl: {
    type: 'choice',
    default: 'question',
    choices: ['question', 'response'],
    about: "k: the question's sum (eq. 4) or the response's own",
  },
  dampingOrder: {
    type: 'choice',
    default: 'before-scale',
    choices: ['before-scale', 'after-scale'],
    about: 'damp before or after the batch scale',
  },
  domainMean: {
    type: 'choice',
    default: 'rewards',
    choices: ['rewards', 'inverseClusterSize'],
    about: "μ_g: mean reward, or clusters' means weighted by 1 / N_c",
  },
  history: {
    type: 'choice',
    default: 'none',
    choices: ['none', 'running'],
    about: 'cluster this batch alone, or all batches so far',
  },
  historyQuestions: {
    type: 'number',
    default: 0,
    minimum: 0,
    maximum: 1e9,
    integer: true,
    about: 'with a running history: about how many questions it spans, at least two batches; 0 keeps all',
  },
  domainRms: {
    type: 'choice',
    default: 'none',
    choices: ['none', 'equal'],
    about: "scale each domain's s' to the same root mean square, so that no domain drowns another",
  },
  weightClip: {
    type: 'number',
    default: 0,
    minimum: 0,
    maximum: 1e6,
    about: "keep each question's 1 / (T_g T_c) within this factor of its domain's median; 0 keeps it as it is",
  },
  clampClusterTemperature: {
    type: 'boolean',
    default: true,
    about: 'clamp T_c at ε; false refuses a cluster of zero mean',
  },
  temperatureFloor: {
    type: 'number',
    default: 0,
    minimum: 0,
    maximum: 1000,
    about: 'least T_g and T_c: what ε does not bound where a mean is not positive',
  },
  nonPositiveMean: {
    type: 'choice',
    default: 'clamp',
    choices: ['clamp', 'refuse'],
    about: 'a domain or cluster whose mean is not positive: T = max(ε, temperatureFloor), or an error',
  },
  batchEpsilon: {
    type: 'number',
    default: 0,
    minimum: 0,
    maximum: 1,
    about: 'added to the deviation of the batch scale',
  },
} as const satisfies OptionTable

/** Checked options of DRPO. */
export type DrpoOptions = OptionValues<typeof drpoOptionTable>

/**
 * What a simulation of 105 settings recommends (docs/paper-map.md): every domain keeps its share of the gradient, clusters
 * are taken over the last 256 questions or so, and damping leaves the mean of a question's advantages at zero. With equal
 * root mean squares the domain temperature cancels: an answer of a rare domain weighs as much as one of a common domain, and
 * clusters alone shift weight inside a domain. Whether it helps a policy that sees and writes is a question for experiments.
 *
 * A window holds at least twice the questions of a batch, so that k-means would cost twice as much: it has three runs of
 * eight candidates per centre in the place of ten runs of two to four, whose clusters are as good within half a per cent of
 * inertia on average (docs/log.md).
 */
export const recommendedOptions = {
  domainRms: 'equal',
  history: 'running',
  historyQuestions: 256,
  dampingScope: 'group',
  dampingQuantileOver: 'nonzero',
  restarts: 3,
  candidates: 8,
} as const satisfies Partial<DrpoOptions>

/**
 * What the public code runs where it differs from the paper (docs/paper-map.md): history over the run, μ_g from inverse
 * cluster sizes, no clamp of T_c, one k-means run, std + ε, and no damping. With `noKl: false` it is the damping that the
 * public code keeps commented out: |s|, per response, 0.75-quantile, after the batch scale. Group by dataset name rather
 * than by clinical domain to match it fully.
 */
export const referenceOptions = {
  history: 'running',
  domainMean: 'inverseClusterSize',
  clampClusterTemperature: false,
  restarts: 1,
  batchEpsilon: 1e-6,
  noKl: true,
  dampingSign: 'both',
  dampingQuantile: 0.75,
  dampingKl: 'response',
  dampingOrder: 'after-scale',
} as const satisfies Partial<DrpoOptions>
