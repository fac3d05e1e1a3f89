import type { CommandLineIo } from './command-line-io.ts'

/** How a command speaks: results on stdout, everything else on stderr. */
export interface CommandOutput {
  /** Whether `--json` was given: stdout then has one JSON document, or JSON lines, and nothing else. */
  readonly json: boolean
  /** Whether `--verbose` was given. */
  readonly verbose: boolean
  /** Prints the result: `value` as one JSON line with `--json`, `text()` for people without. */
  result(value: unknown, text: () => string): void
  /** Prints a list of results: one JSON line each with `--json`, `text()` for people without. */
  results(values: readonly unknown[], text: () => string): void
  /** Tells people something on stderr. */
  note(text: string): void
  /**
   * Shows how far the work is, on stderr: in place on a terminal, else the first line of it, at most once in five seconds.
   * Further lines are details that only a terminal shows.
   */
  progress(text: string): void
}

const progressIntervalMs = 5000

/** Makes the output of one run. */
export function createOutput(
  { stdout, stderr }: Pick<CommandLineIo, 'stdout' | 'stderr'>,
  { json, verbose }: { readonly json: boolean; readonly verbose: boolean },
): CommandOutput {
  let drawnLines = 0
  let lastProgressMs = -Infinity
  const clear = (): void => {
    if (drawnLines > 0) stderr.write(`\r${drawnLines > 1 ? `\u001B[${drawnLines - 1}A` : ''}\u001B[J`)
    drawnLines = 0
  }
  return {
    json,
    verbose,
    result: (value, text) => {
      clear()
      stdout.write(json ? `${toJson(value)}\n` : withNewline(printable(text())))
    },
    results: (values, text) => {
      clear()
      if (!json) stdout.write(withNewline(printable(text())))
      else for (const value of values) stdout.write(`${toJson(value)}\n`)
    },
    note: text => {
      clear()
      stderr.write(withNewline(printable(text)))
    },
    progress: text => {
      // A line wider than the terminal would wrap, and could not be taken back.
      const lines = printable(text)
        .split('\n')
        .map(line => line.slice(0, (stderr.columns ?? Infinity) - 1))
      if (stderr.isTTY === true) {
        clear()
        stderr.write(lines.join('\n'))
        drawnLines = lines.length
      } else if (performance.now() - lastProgressMs >= progressIntervalMs) {
        lastProgressMs = performance.now()
        stderr.write(withNewline(lines[0] ?? ''))
      }
    },
  }
}

/** Control characters that JSON leaves as they are, and that a terminal would obey. */
const controls = /[\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/g

/** Writes a value as one line of JSON: typed arrays as arrays, not-a-number as null, every control character as `\uXXXX`. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) => (isNumberArray(part) ? Array.from(part) : part))
  return text.replaceAll(controls, found => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function isNumberArray(value: unknown): value is Float64Array | Float32Array | Int32Array | Uint8Array {
  return ArrayBuffer.isView(value) && !(value instanceof DataView) && !(value instanceof BigInt64Array)
}

/**
 * Writes control characters out: a model may answer with ESC or BEL, which a terminal would obey. New lines and tabs stay.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, found =>
    found === '\n' || found === '\t' ? found : `\\x${found.codePointAt(0)?.toString(16).padStart(2, '0') ?? ''}`,
  )
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}
