import { byteText } from '../byte-size.ts'
import { defineCommand } from '../command.ts'
import { parallelFiles } from '../download-arguments.ts'
import { cliErrors } from '../errors.ts'

/** `qoq model pull`: a model of Hugging Face into the cache. */
export const pullCommand = defineCommand({
  meta: {
    name: 'pull',
    description:
      'Fetch a model of Hugging Face into a cache, from where --model OWNER/NAME takes it: resumes, verifies checksums, runs nothing. HF_TOKEN is for what is private or gated, HF_ENDPOINT names a mirror, QOQ_MODELS_DIR the cache.',
    examples: [
      'qoq model pull Qwen/Qwen2.5-VL-3B-Instruct',
      "qoq model pull owner/QoQ-Med-VL-7B-GGUF --include '*Q4_K_M*'",
    ],
  },
  args: {
    name: { type: 'positional', required: true, description: 'OWNER/NAME, or OWNER/NAME@REVISION' },
    include: {
      type: 'strings',
      value: 'PATTERN',
      description: 'files to fetch, such as "*Q4_K_M*", in place of weights and tables; pickled files only so',
    },
    parallel: parallelFiles,
  },
  run: async ({ args, input, output, signal }) => {
    const { modelsFolder, pullRepository } = await import('@qoq-med/data-climb')
    const root = modelsFolder(input.env)
    try {
      const report = await pullRepository(args.name, {
        root,
        include: args.include,
        parallel: args.parallel,
        token: input.env['HF_TOKEN'],
        host: input.env['HF_ENDPOINT']?.replace(/\/+$/, ''),
        signal,
        onProgress: ({ files, totalFiles, bytes, totalBytes }) =>
          output.progress(`${files} of ${totalFiles} files, ${byteText(bytes)} of ${byteText(totalBytes)} fetched`),
      })
      output.result(report, () =>
        [
          `${args.name}: ${report.files.length} files, ${byteText(report.bytes)} (${byteText(report.fetchedBytes)} fetched)`,
          `in ${report.folder}`,
          `Ask it: qoq ask --model ${args.name} --image FILE QUESTION`,
        ].join('\n'),
      )
    } catch (cause) {
      if (!signal.aborted) throw cause
      throw cliErrors.INTERRUPTED({ saved: `what was fetched is kept in ${root}` }, { cause })
    }
  },
})
