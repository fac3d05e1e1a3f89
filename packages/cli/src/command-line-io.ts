/** Somewhere text goes: `process.stdout`, or a collector in a test. */
export interface TextSink {
  write(text: string): unknown
  /** Whether a person watches: progress is drawn in place then. */
  readonly isTTY?: boolean | undefined
  /** Width of the terminal in characters. */
  readonly columns?: number | undefined
}

/** Where text comes from: `process.stdin`, or a list of chunks in a test. */
export interface TextSource extends AsyncIterable<Uint8Array | string> {
  /** Whether a person sits there instead of a pipe. */
  readonly isTTY?: boolean | undefined
}

/** Everything a command knows of the world outside, so that a test can stand in for it. */
export interface CommandLineIo {
  readonly stdin: TextSource
  readonly stdout: TextSink
  readonly stderr: TextSink
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where relative paths start. */
  readonly cwd: string
  /** Aborted by Ctrl-C. */
  readonly signal?: AbortSignal
}
