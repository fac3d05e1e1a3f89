import { clusterOptionTable } from './cluster-options.ts'
import type { OptionTable, OptionValues } from './option-schema.ts'

/** The options of FairGRPO with their ranges; the defaults are the paper's. */
export const fairGrpoOptionTable = {
  groups: {
    type: 'choice',
    default: 'labels',
    choices: ['labels', 'clusters', 'labels-only'],
    about: 'groups: labels, and clusters of what has none; clusters alone; or labels, what has none being one group',
  },
  ...clusterOptionTable,
  epsilon: { type: 'number', default: 1e-6, minimum: 1e-100, maximum: 1, about: 'ε of eq. 1 and of the bounds' },
  history: {
    type: 'choice',
    default: 'none',
    choices: ['none', 'running'],
    about: 'count and average over this batch alone, or over all batches so far',
  },
  domainMean: {
    type: 'choice',
    default: 'plain',
    choices: ['plain', 'inverseClusterSize'],
    about: "r̄_d: mean reward, or the groups' means weighted by 1 / N_g",
  },
  clamp: {
    type: 'choice',
    default: 'product',
    choices: ['product', 'domain', 'nd'],
    about: 'what is bounded by ε: T_d T_g, T_d alone, or every factor as the form without demographics has it',
  },
} as const satisfies OptionTable

/** Checked options of FairGRPO. */
export type FairGrpoOptions = OptionValues<typeof fairGrpoOptionTable>

/** What the public code runs with demographics: history over the run, at most three clusters, T_d alone bounded. */
export const fairReleaseOptions = {
  history: 'running',
  maxClusters: 3,
  clamp: 'domain',
} as const satisfies Partial<FairGrpoOptions>

/** What the public code runs without demographics. */
export const fairReleaseNdOptions = {
  history: 'running',
  groups: 'clusters',
  maxClusters: 3,
  domainMean: 'inverseClusterSize',
  clamp: 'nd',
} as const satisfies Partial<FairGrpoOptions>
