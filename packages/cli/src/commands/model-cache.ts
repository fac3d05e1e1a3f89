import { byteText } from '../byte-size.ts'
import { defineCommand } from '../command.ts'
import { textTable } from '../text-table.ts'

/** `qoq model cache`: packed weights on disk. */
export const cacheCommand = defineCommand({
  meta: {
    name: 'cache',
    description: 'Show the packed weights that are kept on disk for later starts, or drop them.',
    examples: ['qoq model cache', 'qoq model cache --clear', 'QOQ_CACHE_DIR=/scratch/qoq qoq model cache'],
  },
  args: {
    clear: { type: 'flag', description: 'drop all of them; they are made anew when they are needed' },
  },
  run: async ({ args, output }) => {
    const { cachedWeights, dropCachedWeights, weightCacheFolder } = await import('@qoq-med/model')
    const folder = weightCacheFolder()
    const entries = await (args.clear ? dropCachedWeights() : cachedWeights())
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
    output.result({ folder, dropped: args.clear, bytes, entries }, () => {
      if (entries.length === 0) return `No packed weights in ${folder}`
      const rows = entries.map(({ model, bytes: size, usedAt }) => [model, byteText(size), usedAt.toISOString()])
      const total = `${args.clear ? 'Dropped' : 'In all'} ${byteText(bytes)} in ${folder}`
      return `${textTable([['model', 'size', 'last used'], ...rows])}\n${total}`
    })
  },
})
