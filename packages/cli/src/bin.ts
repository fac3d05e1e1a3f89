#!/usr/bin/env node
import { nodeTooOld } from './node-version.ts'
import { runCommandLine } from './run-command-line.ts'

const controller = new AbortController()
process.once('SIGINT', () => controller.abort())
process.once('SIGTERM', () => controller.abort())
// A reader that goes away (`qoq … | head`) ends the run without a word.
process.stdout.on('error', error => {
  if ('code' in error && error.code === 'EPIPE') process.exit(0)
  throw error
})

const { stdin, stdout, stderr, env } = process
const tooOld = nodeTooOld(process.versions.node)
if (tooOld === undefined) {
  process.exitCode = await runCommandLine(process.argv.slice(2), {
    stdin,
    stdout,
    stderr,
    env,
    cwd: process.cwd(),
    signal: controller.signal,
  })
} else {
  stderr.write(`${tooOld}\n`)
  process.exitCode = 2
}
// A thread of the runtime cannot be stopped while it computes, not even by `process.exit`. The signal ends it, which a shell reports as
// 130. What ended as it should, such as a server, has time to free its memory before.
if (controller.signal.aborted)
  setTimeout(() => process.kill(process.pid, 'SIGINT'), process.exitCode === 0 ? 3000 : 200).unref()
