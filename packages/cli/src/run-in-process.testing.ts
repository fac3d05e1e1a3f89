import { runCommandLine } from './run-command-line.ts'

/** What a command line left behind. */
export interface RunResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `qoq` in this process with the given standard input and collects what it writes. */
export async function runInProcess(
  argv: readonly string[],
  {
    stdin = '',
    cwd = process.cwd(),
    env = {},
    signal,
  }: { stdin?: string; cwd?: string; env?: Readonly<Record<string, string>>; signal?: AbortSignal } = {},
): Promise<RunResult> {
  const written = { stdout: '', stderr: '' }
  const sinkOf = (name: 'stdout' | 'stderr') => ({ write: (text: string) => void (written[name] += text) })
  const exitCode = await runCommandLine(argv, {
    stdin: textSource(stdin),
    stdout: sinkOf('stdout'),
    stderr: sinkOf('stderr'),
    env,
    cwd,
    ...(signal && { signal }),
  })
  return { exitCode, ...written }
}

async function* textSource(text: string): AsyncGenerator<string> {
  yield text
}

/** The error document of a failed `--json` run. */
export function errorOf({ stdout }: RunResult): { code: string; message: string; hint: string } {
  const { error }: { error: { code: string; message: string; hint: string } } = JSON.parse(stdout)
  return error
}
