import type { OptionTable } from './option-schema.ts'

/** How reward vectors are clustered (B.1): options that every estimator with clusters has. */
export const clusterOptionTable = {
  maxClusters: {
    type: 'number',
    default: 10,
    minimum: 1,
    maximum: 1000,
    integer: true,
    about: 'largest k of the elbow search',
  },
  elbowTolerance: { type: 'number', default: 0.1, minimum: 0, maximum: 1, about: 'τ of the elbow rule' },
  restarts: { type: 'number', default: 10, minimum: 1, maximum: 1000, integer: true, about: 'k-means runs per k' },
  candidates: {
    type: 'number',
    default: 0,
    minimum: 0,
    maximum: 1000,
    integer: true,
    about: 'points drawn per centre of k-means++, of which the best is taken; 0 draws 2 + ⌊ln k⌋',
  },
  seed: { type: 'number', default: 0, minimum: 0, maximum: 4294967295, integer: true, about: 'seed of k-means++' },
} as const satisfies OptionTable
