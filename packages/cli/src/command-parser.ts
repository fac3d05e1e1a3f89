import { Command as CommanderCommand, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { ArgumentSpec, Command, CommandGroup } from './command.ts'
import { cliErrors } from './errors.ts'

/** What a command line asks for: a command with its arguments, or text to show (help, version). */
export type ParsedCommandLine =
  | { readonly type: 'run'; readonly command: Command; readonly args: Record<string, unknown>; readonly path: string }
  | { readonly type: 'show'; readonly text: string }

/** The options that every command has. */
const globalOptions = {
  json: { flags: '--json', description: 'answer in JSON on stdout, errors included' },
  verbose: { flags: '--verbose', description: 'say more on stderr, and show the stack of an error' },
} as const

/**
 * Parses a command line against the tree of commands.
 *
 * @throws CLI_UNKNOWN_COMMAND, CLI_COMMAND_MISSING, CLI_UNKNOWN_OPTION, CLI_ARGUMENT_MISSING, CLI_ARGUMENT_EXTRA,
 * CLI_VALUE_INVALID
 */
export function parseCommandLine(
  argv: readonly string[],
  tree: readonly (Command | CommandGroup)[],
  about: { readonly description: string; readonly version: string },
): ParsedCommandLine {
  let shown = ''
  let found: ParsedCommandLine | undefined
  const program = createProgram(about, text => (shown += text))
  for (const node of tree) addNode(program, node, parsed => (found = parsed))
  try {
    program.parse(withoutGlobals(argv), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { type: 'show', text: shown }
    throw usageError(error, commandAt(program, argv), argv)
  }
  if (found === undefined) throw missingCommand(commandAt(program, argv))
  return found
}

/** Global options may stand anywhere before `--`; who reads them reads them off the command line itself. */
function withoutGlobals(argv: readonly string[]): string[] {
  const flags = new Set<string>(Object.values(globalOptions).map(option => option.flags))
  const end = argv.indexOf('--')
  return argv.filter((word, index) => !flags.has(word) || (end !== -1 && index > end))
}

function createProgram(
  about: { description: string; version: string },
  show: (text: string) => void,
): CommanderCommand {
  const program = new CommanderCommand('qoq')
  program.description(about.description).version(about.version)
  for (const { flags, description } of Object.values(globalOptions)) program.option(flags, description)
  program.enablePositionalOptions()
  program.configureHelp({ showGlobalOptions: true, visibleGlobalOptions: () => [...program.options] })
  program.configureOutput({ writeOut: show, writeErr: () => undefined })
  program.showSuggestionAfterError(false).helpCommand(false).exitOverride()
  return program
}

function addNode(
  parent: CommanderCommand,
  node: Command | CommandGroup,
  run: (parsed: ParsedCommandLine) => void,
): void {
  const own = parent.command(node.meta.name).description(node.meta.description).helpCommand(false)
  // An option belongs to the command that it follows, also where the one above has it, too.
  own.enablePositionalOptions()
  for (const command of node.commands) addNode(own, command, run)
  if (node.kind === 'group') return
  for (const [name, spec] of Object.entries(node.args)) addArgument(own, name, spec)
  own.addHelpText('after', `\nExample:\n${node.meta.examples.map(line => `  $ ${line}`).join('\n')}`)
  own.action(() => {
    checkRequired(own, node.args)
    const positionals = Object.entries(node.args).filter(([, spec]) => spec.type.startsWith('positional'))
    const byPosition = positionals.map(([name], index) => [name, own.processedArgs[index]] as const)
    const args = { ...defaultsOf(node.args), ...own.opts(), ...Object.fromEntries(byPosition) }
    run({ type: 'run', command: node, args, path: pathOf(own) })
  })
}

/** Not commander's own check: that one comes before its check for unknown options, and hides a mistyped name. */
function checkRequired(command: CommanderCommand, args: Readonly<Record<string, ArgumentSpec>>): void {
  for (const [name, spec] of Object.entries(args)) {
    if (isRequiredOption(spec) && command.opts()[name] === undefined)
      throw cliErrors.ARGUMENT_MISSING({ name: `${flagOf(name)} ${spec.value}`, command: pathOf(command) })
  }
}

function isRequiredOption(spec: ArgumentSpec): spec is Extract<ArgumentSpec, { type: 'string' | 'number' }> {
  return (spec.type === 'string' || spec.type === 'number') && spec.required === true
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
}

function addArgument(command: CommanderCommand, name: string, spec: ArgumentSpec): void {
  const flag = flagOf(name)
  if (spec.type === 'positional') {
    command.argument(spec.required ? `<${name}>` : `[${name}]`, spec.description)
    return
  }
  if (spec.type === 'positionals') {
    command.argument(`[${name}...]`, spec.description)
    return
  }
  if (spec.type === 'flag') {
    command.option(flag, spec.description)
    return
  }
  const isRequired = isRequiredOption(spec)
  const option = new Option(`${flag} <${spec.value}>`, spec.description + (isRequired ? ' (required)' : ''))
  if (spec.type === 'string' && spec.choices) addChoices(option, spec.choices, spec.aliases)
  if (spec.type === 'strings') option.default([], 'none').argParser((value, earlier: string[]) => [...earlier, value])
  if (spec.type === 'number') option.argParser(value => parseNumber(value, spec))
  if ('default' in spec && spec.default !== undefined) option.default(spec.default)
  command.addOption(option)
}

/** Commander's own check, after other words for a choice. */
function addChoices(option: Option, choices: readonly string[], aliases: Readonly<Record<string, string>> = {}): void {
  option.choices(choices)
  const check = option.parseArg
  option.argParser((word: string, earlier: unknown) => {
    const named = (Object.hasOwn(aliases, word) ? aliases[word] : undefined) ?? word
    return check ? check(named, earlier) : named
  })
}

function defaultsOf(args: Readonly<Record<string, ArgumentSpec>>): Record<string, unknown> {
  const flags = Object.entries(args).filter(([, spec]) => spec.type === 'flag')
  return Object.fromEntries(flags.map(([name]) => [name, false]))
}

function parseNumber(text: string, spec: Extract<ArgumentSpec, { type: 'number' }>): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  const { integer = false, min = -Infinity, max = Infinity } = spec
  const fits = Number.isFinite(value) && value >= min && value <= max && (!integer || Number.isInteger(value))
  if (!fits) throw new InvalidArgumentError(`expected ${rangeOf(spec)}`)
  return value
}

function rangeOf({ integer = false, min, max }: Extract<ArgumentSpec, { type: 'number' }>): string {
  const kind = integer ? 'a whole number' : 'a number'
  if (min !== undefined && max !== undefined) return `${kind} from ${min} to ${max}`
  return min === undefined ? kind : `${kind} of at least ${min}`
}

/** The deepest command that the words of a command line name. */
function commandAt(program: CommanderCommand, argv: readonly string[]): CommanderCommand {
  let at = program
  for (const word of argv) {
    const next = at.commands.find(command => command.name() === word)
    if (next !== undefined) at = next
    else if (!word.startsWith('-')) break
  }
  return at
}

function pathOf(command: CommanderCommand): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

function missingCommand(at: CommanderCommand): Error {
  return cliErrors.COMMAND_MISSING({ parent: pathOf(at), known: at.commands.map(command => command.name()) })
}

/** Says what commander found wrong in our own words, with the nearest name; its messages start with "error:". */
function usageError({ code, message }: CommanderError, at: CommanderCommand, argv: readonly string[]): Error {
  const command = pathOf(at)
  const [, quoted = ''] = /'([^']*)'/.exec(message) ?? []
  switch (code) {
    case 'commander.unknownCommand':
      return unknownCommand(quoted, at)
    case 'commander.unknownOption':
      return cliErrors.UNKNOWN_OPTION({ name: quoted, command, known: optionsOf(at) })
    case 'commander.missingArgument':
      return cliErrors.ARGUMENT_MISSING({ name: quoted.toUpperCase(), command })
    case 'commander.optionMissingArgument':
      return cliErrors.ARGUMENT_MISSING({ name: quoted, command })
    case 'commander.invalidArgument':
      return invalidValue(message, at)
    case 'commander.help':
      return missingCommand(at)
    default:
      if (at.commands.length > 0) return unknownCommand(extraWord(at, argv), at)
      return cliErrors.ARGUMENT_EXTRA({
        command,
        reason: /Expected.*but got \d+/.exec(message)?.[0].toLowerCase() ?? message,
      })
  }
}

function unknownCommand(name: string, at: CommanderCommand): Error {
  return cliErrors.UNKNOWN_COMMAND({ name, parent: pathOf(at), known: at.commands.map(one => one.name()) })
}

/** The first word after a command's own name that is no option. */
function extraWord(at: CommanderCommand, argv: readonly string[]): string {
  return argv.slice(argv.indexOf(at.name()) + 1).find(word => !word.startsWith('-')) ?? ''
}

function optionsOf(command: CommanderCommand): string[] {
  const own = command.options.flatMap(option => (option.long ? [option.long] : []))
  return command.parent === null ? [...own, '--help'] : [...own, ...optionsOf(command.parent)]
}

function invalidValue(message: string, at: CommanderCommand): Error {
  const [, flags = '', value = ''] = /option '([^']*)' argument '([^']*)'/.exec(message) ?? []
  const option = at.options.find(one => one.flags === flags)
  const known = option?.argChoices ?? []
  const expected =
    known.length > 0 ? `one of ${known.join(', ')}` : (/expected (.*)$/.exec(message)?.[1] ?? 'something else')
  return cliErrors.VALUE_INVALID({ name: option?.long ?? flags, value, expected, known })
}
