import { defineErrors, nearestName } from '@qoq-med/errors'

function suggestion(typed: string, known: readonly string[], otherwise: string): string {
  const meant = nearestName(typed, known)
  return meant === undefined ? otherwise : `Did you mean ${meant}?`
}

/** The errors of the command line; `docs/errors.md` lists them. */
export const cliErrors = defineErrors('CLI', {
  UNKNOWN_COMMAND: {
    message: (p: { name: string; parent: string; known: readonly string[] }) =>
      `There is no command "${p.parent} ${p.name}".`,
    hint: p => suggestion(p.name, p.known, `Run "${p.parent} --help" for the commands: ${p.known.join(', ')}.`),
  },
  COMMAND_MISSING: {
    message: (p: { parent: string; known: readonly string[] }) => `"${p.parent}" needs a command.`,
    hint: p => `Add one of ${p.known.join(', ')}, or run "${p.parent} --help".`,
  },
  UNKNOWN_OPTION: {
    message: (p: { name: string; command: string; known: readonly string[] }) =>
      `"${p.command}" has no option ${p.name}.`,
    hint: p => suggestion(p.name, p.known, `Run "${p.command} --help" for its options.`),
  },
  ARGUMENT_MISSING: {
    message: (p: { name: string; command: string }) => `"${p.command}" needs ${p.name}.`,
    hint: p => `Run "${p.command} --help" for an example.`,
  },
  ARGUMENT_EXTRA: {
    message: (p: { command: string; reason: string }) => `"${p.command}" was given too much: ${p.reason}.`,
    hint: p =>
      `Quote an argument that has spaces, repeat an option for each of its values, or see "${p.command} --help".`,
  },
  VALUE_INVALID: {
    message: (p: { name: string; value: string; expected: string; known?: readonly string[] }) =>
      `${p.name} is "${p.value}", but must be ${p.expected}.`,
    hint: p => suggestion(p.value, p.known ?? [], `Pass ${p.expected}.`),
  },
  INPUT_EMPTY: {
    message: (p: { what: string }) => `There is no ${p.what} on standard input.`,
    hint: (p: { what: string }) => `Pipe ${p.what} into the command; its --help shows an example.`,
  },
  INPUT_NOT_JSON: {
    message: (p: { where: string; problem: string }) => `${p.where} is not JSON: ${p.problem}.`,
    hint: () => 'Write one JSON document, or one per line where the command reads lines.',
  },
  INPUT_INVALID: {
    message: (p: { where: string; field: string; problem: string }) =>
      `${p.where}: ${p.field === '' ? '' : `${p.field}: `}${p.problem}.`,
    hint: () => 'Compare the input with the example in the --help of the command.',
  },
  INPUT_TOO_LARGE: {
    message: (p: { where: string; limitBytes: number }) => `${p.where} is larger than ${p.limitBytes} bytes.`,
    hint: () => 'Split the input into several runs.',
  },
  FILE_MISSING: {
    message: (p: { path: string; what: string }) => `The ${p.what} ${p.path} does not exist.`,
    hint: () => 'Check the path; relative paths start at the current folder.',
  },
  FILE_UNREADABLE: {
    message: (p: { path: string; what: string; reason: string }) =>
      `The ${p.what} ${p.path} cannot be read: ${p.reason}.`,
    hint: () => 'Check that it is a file and that its permissions allow reading.',
  },
  FILE_UNWRITABLE: {
    message: (p: { path: string; reason: string }) => `${p.path} cannot be written: ${p.reason}.`,
    hint: () => 'Choose another path, or make its folder writable.',
  },
  BENCH_PYTHON_INVALID: {
    message: (p: { path: string; reason: string }) => `${p.path} is no Python interpreter: ${p.reason}.`,
    hint: () => 'Pass --python the path of a Python 3, such as venv/bin/python, that has torch and transformers.',
  },
  BENCH_MEASUREMENT_FAILED: {
    message: (p: { what: string; reason: string }) => `Measuring ${p.what} failed: ${p.reason}.`,
    hint: () => 'Measure this row alone; if a peer failed, run its script in packages/cli/peers by hand.',
  },
  DEMO_FOLDER_TAKEN: {
    message: (p: { folder: string }) => `${p.folder} holds files that no demo has made.`,
    hint: () => 'Choose another folder with --out, or move those files away: a demo replaces only what a demo made.',
  },
  DISK_FULL: {
    message: (p: { path: string }) => `The disk is full: ${p.path} could not be written.`,
    hint: () => 'Free some space and run the same command again: what was finished before is kept and used.',
  },
  RUN_WITHOUT_MODEL: {
    message: (p: { folder: string; checkpoint: string | undefined }) =>
      `The run in ${p.folder} has not ended, so it has left no model.`,
    hint: p =>
      p.checkpoint === undefined
        ? 'Finish it with `qoq train … --resume`.'
        : `Finish it with \`qoq train … --resume\`, or pass its last checkpoint, ${p.checkpoint}.`,
  },
  INTERRUPTED: {
    message: (p: { saved: string }) => `Interrupted: ${p.saved}.`,
    hint: () => 'Run the same command again to go on.',
  },
  UNEXPECTED: {
    message: (p: { reason: string }) => `The command failed: ${p.reason}.`,
    hint: () => 'Run it again with --verbose for the stack, and report it if it looks like a fault of qoq.',
  },
  EXPERIMENT_SETTINGS: {
    message: (p: { folder: string }) => `The experiment in ${p.folder} was started with other settings.`,
    hint: () => 'Go on with the options that started it, or choose another folder with --out.',
  },
  EXPERIMENT_FAILED: {
    message: (p: { job: string; command: string; messages: string }) =>
      `The job ${p.job} failed in "qoq ${p.command}": ${p.messages}`,
    hint: () => 'Mend what it names and start the experiment again; finished jobs are kept.',
  },
  JUDGE_SILENT: {
    message: (p: { judge: string; answers: number }) =>
      `${p.judge} graded none of ${p.answers} answers in a form that can be read.`,
    hint: () => 'Look into the transcript beside the evaluation, and ask another model.',
  },
})
