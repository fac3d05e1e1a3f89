import { cliErrors } from './errors.ts'

/** Checks the names of a repeated option against a list that a library has. @throws CLI_VALUE_INVALID */
export function knownNames<const Name extends string>(
  typed: readonly string[],
  known: readonly Name[],
  option: string,
): Name[] {
  return typed.map(value => {
    const found = known.find(name => name === value)
    if (found !== undefined) return found
    throw cliErrors.VALUE_INVALID({ name: option, value, expected: `one of ${known.join(', ')}`, known })
  })
}
