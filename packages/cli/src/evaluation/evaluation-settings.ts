import type { CommandContext } from '../command.ts'
import { evalArguments } from './eval-arguments.ts'

type Arguments = CommandContext<typeof evalArguments>['args']

/** Arguments that decide what an evaluation gives, beside the model, which its fingerprint tells, and subgroups, which may come later. */
const deciding = [
  'split',
  'maxSamples',
  'inputs',
  'boxReaders',
  'ecgAs',
  'missing',
  'answers',
  'maxNewTokens',
  'maxPixels',
  'temperature',
  'seed',
  'balancedAccuracy',
  'labelSet',
  'resamples',
  'onFailure',
  'weights',
  'cacheType',
  'mropeRule',
  'device',
] as const satisfies readonly (keyof Arguments)[]

/** What a later evaluation into the same folder must have, too, by option; datasets without the folders that they lie in. */
export function settingsOf(args: Arguments): Record<string, unknown> {
  const datasets = args.data.map(text => text.split('=', 1)[0])
  return { '--data': datasets, ...Object.fromEntries(deciding.map(name => [flagOf(name), args[name] ?? null])) }
}

/** What a reader needs to run it again; the file of a key is no part of it. */
export function configOf(args: Arguments): Record<string, unknown> {
  const { data, split, maxSamples, mropeRule, device } = args
  return { data, split, maxSamples: maxSamples ?? null, mropeRule, device, command: commandLine(args) }
}

/** The command line of these arguments, without those that are as by default. */
function commandLine(args: Arguments): string {
  const words = Object.entries(evalArguments).flatMap(([name, spec]) => {
    const value: unknown = args[name as keyof typeof evalArguments] // a name of the table
    if (name === 'keyFile' || value === undefined || ('default' in spec && value === spec.default)) return []
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    return values.flatMap(one => [flagOf(name), shellWord(String(one))])
  })
  return ['qoq eval', ...words].join(' ')
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
}

function shellWord(text: string): string {
  return /^[\w./:=+,@%-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
