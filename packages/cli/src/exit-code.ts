import type { HintedError } from '@qoq-med/errors'

/** Errors of the machine or of the work (exit 1); every other hinted error says "wrong usage or bad input" (exit 2). */
export const workFailures: ReadonlySet<string> = new Set([
  'CLI_UNEXPECTED',
  'CLI_INTERRUPTED',
  'CLI_BENCH_MEASUREMENT_FAILED',
  'CLI_FILE_UNWRITABLE',
  'CLI_DISK_FULL',
  'CLI_EXPERIMENT_FAILED',
  'DATA_CHECKSUM_WRONG',
  'DATA_DISK_FULL',
  'DATA_DOWNLOAD_FAILED',
  'DATA_LISTING_INVALID',
  'EVAL_ABORTED',
  'EVAL_ANSWER_MISSING',
  'TENSOR_RUNTIME_MISSING',
  'TENSOR_RUNTIME_FAILED',
  'TENSOR_CLOSED',
  'TENSOR_NOT_FINITE',
  'TENSOR_VALUE_NOT_FINITE',
  'TRAINER_ABORTED',
  'TRAINER_DISK_FULL',
  'TRAINER_NOT_FINITE',
])

/** Tells the exit code of an error: 1 the work failed, 2 wrong usage or bad input. */
export function exitCodeOf({ code }: Pick<HintedError, 'code'>): 1 | 2 {
  return workFailures.has(code) ? 1 : 2
}
