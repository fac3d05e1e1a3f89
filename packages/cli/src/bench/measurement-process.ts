import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { cliErrors } from '../errors.ts'
import type { BenchPeer, Round } from './base/bench-row.ts'
import { MeasurementLine } from './measurement-protocol.ts'

/** A program with its arguments. */
export interface ProcessCommand {
  readonly program: string
  readonly args: readonly string[]
}

/** A measuring process that waits for its next round. */
export interface MeasurementProcess {
  readonly versions: Readonly<Record<string, string>>
  /** Lets it do the work once. @throws CLI_BENCH_MEASUREMENT_FAILED */
  round(): Promise<Round>
  /** Ends it. */
  close(): Promise<void>
}

/** The process of our side: this Node, and from sources what lets it find the other packages' sources. */
export function ownCommand(measure: string, options: object): ProcessCommand {
  const isSource = import.meta.url.endsWith('.ts')
  const worker = new URL(`./measurement-worker${isSource ? '.ts' : '.js'}`, import.meta.url)
  const flags = isSource ? ['--conditions=@qoq-med/source'] : []
  return { program: process.execPath, args: [...flags, fileURLToPath(worker), measure, JSON.stringify(options)] }
}

/** The process of a peer: `peers/` lies beside `src/` and `dist/`. */
export function peerCommand({ script }: BenchPeer, program: string, options: object): ProcessCommand {
  const file = fileURLToPath(new URL(`../../peers/${script}`, import.meta.url))
  return { program, args: [file, JSON.stringify(options)] }
}

/** Lines of the errors that a failure quotes. */
const quotedErrorLines = 3

/**
 * Starts a measuring process and waits until its work is prepared.
 *
 * @returns a text where it says that there is nothing to measure
 * @throws CLI_BENCH_MEASUREMENT_FAILED when it ends or says something else
 */
export async function startMeasurement(
  { program, args }: ProcessCommand,
  { what, signal }: { readonly what: string; readonly signal: AbortSignal },
): Promise<MeasurementProcess | string> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' })
  const errorLines: string[] = []
  createInterface({ input: child.stderr }).on('line', line => {
    errorLines.push(line)
    if (errorLines.length > quotedErrorLines) errorLines.shift()
  })
  const ended = new Promise<string>(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('close', (code, killed) => resolve(`it ended with ${killed ?? `the exit code ${String(code)}`}`))
  })
  child.stdin.on('error', () => undefined) // the end of the process says why
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const failure = async (): Promise<Error> => {
    const reason = await ended
    signal.throwIfAborted()
    return cliErrors.BENCH_MEASUREMENT_FAILED({ what, reason: [reason, ...errorLines].join('; ') })
  }
  const next = async (): Promise<MeasurementLine> => {
    const { done, value } = await lines.next()
    if (done === true) throw await failure()
    const parsed = parseLine(value)
    if (parsed) return parsed
    child.kill('SIGKILL')
    throw cliErrors.BENCH_MEASUREMENT_FAILED({ what, reason: `it says "${value.slice(0, 200)}"` })
  }
  const close = async (): Promise<void> => {
    child.stdin.end()
    await ended
  }
  const first = await next()
  if (first.type !== 'ready') {
    await close()
    return first.type === 'unavailable' ? first.reason : 'it did not say that it is ready'
  }
  return {
    versions: first.versions,
    close,
    round: async () => {
      child.stdin.write('round\n')
      const line = await next()
      if (line.type === 'round') return line
      throw cliErrors.BENCH_MEASUREMENT_FAILED({ what, reason: `it says ${line.type} where a round was due` })
    },
  }
}

function parseLine(text: string): MeasurementLine | undefined {
  try {
    return MeasurementLine.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
