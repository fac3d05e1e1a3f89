import { byteText } from '../byte-size.ts'
import { defineCommand } from '../command.ts'
import { knownModelRows, knownModels } from '../known-models.ts'
import { textTable } from '../text-table.ts'

/** `qoq model list`: models that were pulled, or that are known to work. */
export const listCommand = defineCommand({
  meta: {
    name: 'list',
    description: 'List the models that were pulled; with --known those that work here, and what they take.',
    examples: ['qoq model list', 'qoq model list --known --json'],
  },
  args: {
    known: { type: 'flag', description: 'models that work here, pulled or not' },
  },
  run: async ({ args, input, output }) => {
    if (args.known) return output.results(knownModels, () => textTable(knownModelRows()))
    const { modelsFolder, RepositoryCache } = await import('@qoq-med/data-climb')
    const folder = modelsFolder(input.env)
    const models = await new RepositoryCache(folder).list()
    output.result({ folder, models }, () => {
      if (models.length === 0) return `No models in ${folder}; qoq model pull OWNER/NAME fetches one`
      const rows = models.map(({ repository, revision, commit, files, bytes }) => [
        revision === 'main' ? repository : `${repository}@${revision}`,
        byteText(bytes),
        String(files.length),
        commit.slice(0, 8),
      ])
      return `${textTable([['model', 'size', 'files', 'commit'], ...rows])}\nin ${folder}`
    })
  },
})
