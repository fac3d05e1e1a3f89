import { existsSync } from 'node:fs'
import { defineCommand } from '../command.ts'
import { cliErrors } from '../errors.ts'
import { servingArguments } from '../local-policy.ts'
import { keyFileArgument, keyFilePath } from '../serving/key-file-path.ts'
import { servedArguments, withServed } from '../serving/served-model.ts'

/** `qoq serve`: a model over HTTP. */
export const serveCommand = defineCommand({
  meta: {
    name: 'serve',
    description:
      'Serve a model over HTTP: diagnoses, chat completions in the form of OpenAI, rewards and advantages, and a page to try it on.',
    examples: [
      'qoq serve',
      'qoq serve --model runs/demo/run/model --port 8080',
      'qoq serve --upstream http://localhost:8000/v1 --served-model Qwen2.5-VL-7B',
      'qoq serve --model runs/demo/run/model --runs runs',
      'qoq serve --rewards-only',
      'qoq keys add --name viewer; qoq serve --model DIR --host 0.0.0.0 --allow-host qoq.example.org',
    ],
  },
  args: {
    ...servedArguments,
    port: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 0,
      max: 65_535,
      default: 8080,
      description: 'port to listen on; 0 takes a free one',
    },
    host: {
      type: 'string',
      value: 'NAME',
      default: '127.0.0.1',
      description: 'address to listen on; others than this machine need keys',
    },
    keys: keyFileArgument,
    allowHost: {
      type: 'strings',
      value: 'NAME',
      description: 'name by which the server may be asked; may be repeated',
    },
    allowOrigin: {
      type: 'strings',
      value: 'URL',
      description: 'site whose pages may ask, such as https://viewer.example.org; may be repeated',
    },
    mediaHost: {
      type: 'strings',
      value: 'NAME',
      description: 'host whose pictures a chat may name by their address; may be repeated. Without it none is fetched',
    },
    mediaNetwork: {
      type: 'strings',
      value: 'NETWORK',
      description: 'with --media-host: a network beside the internet in which it may lie, such as 10.1.0.0/16',
    },
    runs: {
      type: 'string',
      value: 'DIR',
      description: 'folder whose training runs and evaluations the page shows; nothing outside it is read',
    },
    otlp: {
      type: 'string',
      value: 'URL',
      description:
        'collector of OpenTelemetry, such as http://localhost:4318, that gets a span for every request: ids and times alone',
    },
    workers: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 0,
      max: 256,
      default: 2,
      description:
        'threads that decode files and score rewards beside the one that serves and that of the model; 0 does all on one',
    },
    ...servingArguments,
  },
  run: async ({ args, input, output, signal }) => {
    const { createServer, listen, openKeyFile, researchNotice } = await import('@qoq-med/server')
    if (args.otlp !== undefined && !/^https?:$/.test(URL.parse(args.otlp)?.protocol ?? ''))
      throw cliErrors.VALUE_INVALID({ name: '--otlp', value: args.otlp, expected: 'an address of http or https' })
    const { port, host, allowHost: allowedHosts, allowOrigin: allowedOrigins } = args
    const keyFile = keyFilePath(args.keys, input)
    // Keys are asked for where a file was named, or where some were made.
    const isKeyed = args.keys !== undefined || existsSync(keyFile)
    const keys = isKeyed ? await openKeyFile(keyFile) : undefined
    await withServed({ ...args, maxPixels: undefined, signal }, { input, output }, async (policy, ended) => {
      const log = (entry: object): void => output.note(JSON.stringify(entry))
      const runs = args.runs === undefined ? undefined : input.resolve(args.runs)
      const app = createServer({
        policy,
        log,
        keys,
        allowedHosts,
        allowedOrigins,
        mediaHosts: args.mediaHost,
        mediaNetworks: args.mediaNetwork,
        runs,
        otlp: args.otlp,
        threads: args.workers,
      })
      try {
        const address = await listen(app, { host, port })
        const model = policy?.info.name ?? null
        output.result({ address, model, notice: researchNotice }, () =>
          [`Serving ${model ?? 'rewards'} on ${address}; Ctrl-C stops it.`, `${researchNotice}.`].join('\n'),
        )
        await aborted(AbortSignal.any([signal, ended]))
      } finally {
        await app.close()
      }
      if (!ended.aborted) output.note('Stopped; every answer that was begun is finished or was ended.')
    })
  },
})

/** Resolves when the signal is aborted. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>(resolve => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
