import { isHintedError, type HintedError } from '@qoq-med/errors'
import { createInput } from './command-input.ts'
import type { CommandLineIo } from './command-line-io.ts'
import { createOutput, toJson } from './command-output.ts'
import { parseCommandLine } from './command-parser.ts'
import { commandTree } from './command-tree.ts'
import { cliErrors } from './errors.ts'
import { exitCodeOf } from './exit-code.ts'
import { version } from './version.ts'

const description = `QoQ-Med: train, evaluate and ask clinical reasoning policies (images, ECG, text).
Research use only; not a medical device.`

/**
 * Runs one command line.
 *
 * @param argv the words after `qoq`
 * @param io standard streams, environment and folder; a test passes its own
 * @returns the exit code: 0 done, 1 the work failed, 2 wrong usage or bad input
 */
export async function runCommandLine(argv: readonly string[], io: CommandLineIo): Promise<number> {
  const end = argv.indexOf('--')
  const words = end === -1 ? argv : argv.slice(0, end)
  const options = { json: words.includes('--json'), verbose: words.includes('--verbose') }
  const output = createOutput(io, options)
  const signal = io.signal ?? new AbortController().signal
  try {
    const parsed = parseCommandLine(argv, commandTree, { description, version })
    if (parsed.type === 'run')
      return (await parsed.command.run({ args: parsed.args as never, input: createInput(io), output, signal })) ?? 0 // checked by the parser
    io.stdout.write(parsed.text)
    return 0
  } catch (thrown) {
    const error = hinted(thrown, signal)
    if (options.json) io.stdout.write(`${toJson({ error })}\n`)
    else output.note(`${error.message}\n${error.hint}`)
    if (options.verbose) output.note(stackOf(thrown))
    return exitCodeOf(error)
  }
}

function hinted(thrown: unknown, signal: AbortSignal): HintedError {
  if (isHintedError(thrown)) return thrown
  if (signal.aborted) return cliErrors.INTERRUPTED({ saved: 'nothing was written' }, { cause: thrown })
  const full = fullDisk(thrown)
  if (full !== undefined) return cliErrors.DISK_FULL({ path: full }, { cause: thrown })
  const reason = thrown instanceof Error ? thrown.message : String(thrown)
  return cliErrors.UNEXPECTED(
    { reason: reason.split('\n')[0]?.replace(/\.$/, '') ?? 'no reason given' },
    { cause: thrown },
  )
}

/** What could not be written since the disk or the quota is full; nothing for another error. */
function fullDisk(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined
  const isFull = 'code' in thrown && (thrown.code === 'ENOSPC' || thrown.code === 'EDQUOT')
  if (!isFull) return fullDisk(thrown.cause)
  return 'path' in thrown && typeof thrown.path === 'string' ? thrown.path : 'a file'
}

function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const cause = thrown.cause === undefined ? '' : `\ncaused by ${stackOf(thrown.cause)}`
  return `${thrown.stack ?? thrown.message}${cause}`
}
