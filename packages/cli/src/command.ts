import type { CommandOutput } from './command-output.ts'
import type { CommandInput } from './command-input.ts'

/** An argument by position. */
interface PositionalSpec {
  readonly type: 'positional'
  readonly description: string
  readonly required: boolean
}

/** All remaining arguments by position; must come last. */
interface PositionalsSpec {
  readonly type: 'positionals'
  readonly description: string
}

/** An option with a text. */
interface StringSpec {
  readonly type: 'string'
  readonly description: string
  /** How the help names the value, such as FILE. */
  readonly value: string
  readonly required?: boolean
  readonly choices?: readonly string[]
  /** Other words for choices. */
  readonly aliases?: Readonly<Record<string, string>>
  readonly default?: string
}

/** An option with a text that may be given several times. */
interface StringsSpec {
  readonly type: 'strings'
  readonly description: string
  readonly value: string
}

/** An option with a number. */
interface NumberSpec {
  readonly type: 'number'
  readonly description: string
  readonly value: string
  readonly required?: boolean
  readonly default?: number
  readonly integer?: boolean
  /** Smallest value allowed. */
  readonly min?: number
  /** Largest value allowed. */
  readonly max?: number
}

/** An option without a value. */
interface FlagSpec {
  readonly type: 'flag'
  readonly description: string
}

/** What a command takes, by camelCase name; options are spelled in kebab-case on the command line. */
export type ArgumentSpec = PositionalSpec | PositionalsSpec | StringSpec | StringsSpec | NumberSpec | FlagSpec

/** The value an argument has inside `run`. */
type ArgumentValue<Spec extends ArgumentSpec> = Spec extends FlagSpec
  ? boolean
  : Spec extends StringsSpec | PositionalsSpec
    ? readonly string[]
    : Spec extends { readonly type: 'number' }
      ? Present<Spec, number>
      : Spec extends { readonly choices: readonly (infer Choice)[] }
        ? Present<Spec, Choice>
        : Present<Spec, string>

/** A value that is always there where it is required or has a default. */
type Present<Spec, Value> = Spec extends { readonly required: true } | { readonly default: unknown }
  ? Value
  : Value | undefined

/** What a command works with. */
export interface CommandContext<Args extends Readonly<Record<string, ArgumentSpec>>> {
  readonly args: { readonly [Name in keyof Args]: ArgumentValue<Args[Name]> }
  readonly input: CommandInput
  readonly output: CommandOutput
  readonly signal: AbortSignal
}

/** How a command or a group is found and described. */
export interface CommandMeta {
  readonly name: string
  /** One sentence. */
  readonly description: string
}

/** How a command ends: nothing when all is well, 1 when its result says that something is wrong, such as a failed check. */
export type CommandEnd = void | undefined | 1

/** A command as the tree holds it, its argument types erased. */
export interface Command {
  readonly kind: 'command'
  readonly meta: CommandMeta & { readonly examples: readonly string[] }
  readonly args: Readonly<Record<string, ArgumentSpec>>
  /** Commands under this one's name, such as `qoq rewards lint`. */
  readonly commands: readonly Command[]
  run(context: CommandContext<Readonly<Record<string, ArgumentSpec>>>): Promise<CommandEnd>
}

/** Commands under a common name, such as `qoq data`. */
export interface CommandGroup {
  readonly kind: 'group'
  readonly meta: CommandMeta
  readonly commands: readonly Command[]
}

/**
 * Defines a command: what it takes, and a `run` that parses, calls one library function and prints. A library is
 * imported inside `run`, so that `qoq --help` loads none.
 */
export function defineCommand<const Args extends Readonly<Record<string, ArgumentSpec>>>(definition: {
  /** Name, sentence, and at least one example line for the help. */
  readonly meta: CommandMeta & { readonly examples: readonly [string, ...string[]] }
  readonly args: Args
  readonly commands?: readonly Command[]
  readonly run: (context: CommandContext<Args>) => Promise<CommandEnd>
}): Command {
  const { meta, args, commands = [], run } = definition
  // The parser fills `args` from the same table, so that the erased context is the typed one.
  return { kind: 'command', meta, args, commands, run: context => run(context as CommandContext<Args>) }
}

/** Defines a group of commands. */
export function defineGroup(meta: CommandMeta, commands: readonly Command[]): CommandGroup {
  return { kind: 'group', meta, commands }
}
