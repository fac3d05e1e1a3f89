import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { Command, CommandGroup } from './command.ts'
import { commandTree } from './command-tree.ts'

const packages = path.resolve(import.meta.dirname, '../..')
const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)

function optionsOf(commands: readonly (Command | CommandGroup)[]): string[] {
  return commands.flatMap(command => [
    ...('args' in command ? Object.keys(command.args ?? {}).map(name => `--${kebab(name)}`) : []),
    ...('commands' in command ? optionsOf(command.commands ?? []) : []),
  ])
}

/** Options of every command, and of other programs that hints may name. */
const known = new Set([...optionsOf(commandTree), '--help', '--json', '--verbose', '--version', '--ignore-scripts'])

test.for(globSync('*/src/**/errors.ts', { cwd: packages }))('%s names options that there are', file => {
  const text = readFileSync(path.join(packages, file), 'utf8')
  const named = [...text.matchAll(/--[a-z][a-z-]+/g)].map(([option]) => option)
  expect(named.filter(option => !known.has(option))).toEqual([])
})
