import { modelFolder } from '../model-folder.ts'
import { defineCommand } from '../command.ts'
import { servingArguments, withPolicy } from '../local-policy.ts'

/** `qoq serve`: a model over HTTP. */
export const serveCommand = defineCommand({
  meta: {
    name: 'serve',
    description: 'Serve a model over HTTP: chat completions in the form of OpenAI, rewards and advantages.',
    examples: ['qoq serve --model runs/demo/run/model --port 8080'],
  },
  args: {
    model: {
      type: 'string',
      value: 'DIR',
      required: true,
      description: 'model folder, or OWNER/NAME of what was pulled',
    },
    port: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 0,
      max: 65_535,
      default: 8080,
      description: 'port to listen on; 0 takes a free one',
    },
    host: { type: 'string', value: 'NAME', default: '127.0.0.1', description: 'address to listen on' },
    ...servingArguments,
  },
  run: async ({ args: { port, host, ...args }, input, output, signal }) => {
    const { createServer, listen, researchNotice } = await import('@qoq-med/server')
    const folder = await modelFolder(args.model, input)
    await withPolicy({ ...args, folder, signal }, output, async policy => {
      const app = createServer({ policy, log: entry => output.note(JSON.stringify(entry)) })
      try {
        const address = await listen(app, { host, port })
        const model = policy.info.name
        output.result({ address, model, notice: researchNotice }, () =>
          [`Serving ${model} on ${address}; Ctrl-C stops it.`, `${researchNotice}.`].join('\n'),
        )
        if (!isLoopback(host))
          output.note(
            `Anyone who reaches ${host} can use the model: the server asks for no key. Put a proxy before it.`,
          )
        await aborted(signal)
      } finally {
        await app.close()
      }
      output.note('Stopped; every answer that was begun is finished or was ended.')
    })
  },
})

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

/** Resolves when the signal is aborted. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>(resolve => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
