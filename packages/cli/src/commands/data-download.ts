import { askSecret } from '../ask-secret.ts'
import { defineCommand } from '../command.ts'
import { parallelFiles } from '../download-arguments.ts'
import { cliErrors } from '../errors.ts'
import { factTable } from '../text-table.ts'

/** `qoq data download`: fetches a dataset from its source. */
export const downloadCommand = defineCommand({
  meta: {
    name: 'download',
    description:
      'Fetch a dataset from its source: resumes, verifies checksums, unpacks. Credentials come from the environment, or are asked for on a terminal; `qoq data info ID` names them.',
    examples: [
      'qoq data download ptb_xl --root data/ptb-xl',
      'qoq data download lndb --root data/lndb --from zenodo:7153205',
    ],
  },
  args: {
    id: { type: 'positional', required: true, description: 'dataset id; see `qoq data list`' },
    root: {
      type: 'string',
      value: 'DIR',
      required: true,
      description: 'folder to fill; what is there already is kept',
    },
    from: { type: 'string', value: 'TYPE:NAME', description: 'another source, such as a mirror: zenodo:7153205' },
    parallel: parallelFiles,
  },
  run: async ({ args, input, output, signal }) => {
    const { downloadDataset, parseDownloadSource } = await import('@qoq-med/data-climb')
    const root = input.resolve(args.root)
    try {
      const report = await downloadDataset(args.id, {
        root,
        parallel: args.parallel,
        signal,
        secret: async name => input.env[name] ?? (await askSecret(name, signal)),
        onProgress: ({ files, totalFiles, bytes }) =>
          output.progress(`${files} of ${totalFiles} files, ${megabytes(bytes)} fetched`),
        ...(args.from !== undefined && { source: parseDownloadSource(args.from) }),
      })
      output.result(report, () => factTable(report))
    } catch (cause) {
      if (!signal.aborted) throw cause
      throw cliErrors.INTERRUPTED({ saved: `what was fetched is kept in ${root}` }, { cause })
    }
  },
})

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
