/** The argument of a command that downloads several files at a time. */
export const parallelFiles = {
  type: 'number',
  value: 'N',
  integer: true,
  min: 1,
  max: 32,
  default: 4,
  description: 'files at a time',
} as const
