import type { HintedError } from '@qoq-med/errors'

/** Errors of the machine or of the work (exit 1); every other hinted error says "wrong usage or bad input" (exit 2). */
export const workFailures: ReadonlySet<string> = new Set([
  'CLI_UNEXPECTED',
  'CLI_BENCH_MEASUREMENT_FAILED',
  'CLI_FILE_UNWRITABLE',
  'CLI_DISK_FULL',
  'CLI_EXPERIMENT_FAILED',
  'DATA_CHECKSUM_WRONG',
  'DATA_DISK_FULL',
  'DATA_DOWNLOAD_FAILED',
  'DATA_LISTING_INVALID',
  'DATA_OFFLINE',
  'EVAL_ANSWER_MISSING',
  'MODEL_CACHE_DAMAGED',
  'MODEL_CACHE_FULL',
  'MODEL_CACHE_UNUSABLE',
  'MODEL_MEMORY_SHORT',
  'MODEL_REMOTE_CIRCUIT',
  'MODEL_REMOTE_CUT',
  'MODEL_REMOTE_UNAVAILABLE',
  'MODEL_THREAD_ENDED',
  'QOQ_SERVER_AWAY', // said by a job elsewhere
  'SERVER_ADDRESS_UNAVAILABLE',
  'TENSOR_DEVICE_MISSING',
  'TENSOR_RUNTIME_MISSING',
  'TENSOR_RUNTIME_FAILED',
  'TENSOR_CLOSED',
  'TENSOR_NOT_FINITE',
  'TENSOR_VALUE_NOT_FINITE',
  'TRAINER_DISK_FULL',
  'TRAINER_ENGINE_AWAY',
  'TRAINER_ENGINE_DIFFERS',
  'TRAINER_ENGINE_FAILED',
  'TRAINER_ENGINE_MISSING',
  'TRAINER_ENGINE_MODEL',
  'TRAINER_MEMORY_SHORT',
  'TRAINER_NOT_FINITE',
])

/** Errors that say that work was stopped from outside (exit 130, as shells say of a program that Ctrl-C ended). */
export const stops: ReadonlySet<string> = new Set([
  'CLI_INTERRUPTED',
  'EVAL_ABORTED',
  'TRAINER_ABORTED',
  'TRAINER_JOB_LEFT',
  'TRAINER_JOB_STOPPED',
])

/** Tells the exit code of an error: 1 the work failed, 2 wrong usage or bad input, 130 stopped. */
export function exitCodeOf({ code }: Pick<HintedError, 'code'>): 1 | 2 | 130 {
  if (stops.has(code)) return 130
  return workFailures.has(code) ? 1 : 2
}
