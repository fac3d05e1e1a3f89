import { byteText } from '../byte-size.ts'
import { defineCommand } from '../command.ts'
import { cliErrors } from '../errors.ts'

/** `qoq model remove`: drops a pulled model. */
export const removeCommand = defineCommand({
  meta: {
    name: 'remove',
    description: 'Drop a model that was pulled, with all its revisions; files that another model shares stay.',
    examples: ['qoq model remove Qwen/Qwen2.5-VL-3B-Instruct'],
  },
  args: {
    name: { type: 'positional', required: true, description: 'OWNER/NAME' },
  },
  run: async ({ args, input, output }) => {
    const { modelsFolder, RepositoryCache } = await import('@qoq-med/data-climb')
    const folder = modelsFolder(input.env)
    const cache = new RepositoryCache(folder)
    const names = (await cache.list()).map(({ repository }) => repository)
    const freed = names.includes(args.name) ? await cache.remove(args.name) : undefined
    if (freed === undefined)
      throw cliErrors.VALUE_INVALID({
        name: 'NAME',
        value: args.name,
        expected: names.length === 0 ? `a model in ${folder}, where there is none` : `one of ${names.join(', ')}`,
      })
    output.result({ name: args.name, freed }, () => `Removed ${args.name}, ${byteText(freed)}`)
  },
})
