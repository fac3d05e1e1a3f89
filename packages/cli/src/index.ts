export type { CommandLineIo, TextSink, TextSource } from './command-line-io.ts'
export { cliErrors } from './errors.ts'
export { runCommandLine } from './run-command-line.ts'
