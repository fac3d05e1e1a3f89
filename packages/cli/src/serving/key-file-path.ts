import { homedir } from 'node:os'
import path from 'node:path'
import type { CommandInput } from '../command-input.ts'

/** Where keys are kept. */
export const keyFileArgument = {
  type: 'string',
  value: 'FILE',
  description: 'file with the keys; by default QOQ_KEYS, or qoq-med/keys.json in the folder of settings of the user',
} as const

/** The file with keys that a command line means. */
export function keyFilePath(
  given: string | undefined,
  { env, resolve }: Pick<CommandInput, 'env' | 'resolve'>,
): string {
  const named = given ?? env['QOQ_KEYS']
  if (named !== undefined) return resolve(named)
  return path.join(env['XDG_CONFIG_HOME'] ?? path.join(homedir(), '.config'), 'qoq-med', 'keys.json')
}
