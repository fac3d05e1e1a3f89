import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { openThreadPolicy, type LocalPolicy } from '@qoq-med/model'
import { createServer, listen } from '@qoq-med/server'
import { z } from 'zod'
import type { Measurement } from '../base/measurement.ts'
import type { ChatJob, ChatTimes } from './chat-clients.ts'
import { openEndlessPolicy, type EndlessPolicyOptions } from './endless-policy.ts'

const Options = z.object({
  threads: z.int(),
  gguf: z.string(),
  clients: z.int(),
  newTokens: z.int(),
  weightsType: z.enum(['float32', 'int4', 'stored']).default('float32'),
  /** What the value of a round is: seconds until 95 of 100 clients had a word, or the server's time by that of the engine alone. */
  value: z.enum(['first', 'overhead']),
})

/** Clients who ask a server of chat completions for a fixed number of greedy tokens each, all at once. */
export async function servedChat(options: unknown): Promise<Measurement> {
  const { threads, gguf, clients, newTokens, weightsType, value } = Options.parse(options)
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const policyOptions: EndlessPolicyOptions = { threads, gguf, weightsType }
  const policy = await openThreadPolicy({
    module: new URL(`./served-policy-thread${extension}`, import.meta.url),
    data: { options: policyOptions },
  })
  const alone = value === 'overhead' ? await openEndlessPolicy(policyOptions) : undefined
  const app = createServer({ policy })
  const url = await listen(app, { port: 0 })
  const worker = new Worker(new URL(`./chat-clients${extension}`, import.meta.url))
  const served = async (questions: readonly string[]): Promise<ChatTimes> => {
    const job: ChatJob = { url, questions, newTokens }
    worker.postMessage(job, [])
    const [times] = (await once(worker, 'message')) as [ChatTimes] // what it answers with
    if (times.tokens !== clients * newTokens) throw new Error(`${times.tokens} tokens came, not ${clients * newTokens}`)
    return times
  }
  let rounds = 0
  return {
    round: async () => {
      const questions = questionsOf(clients, rounds++)
      const times = await served(questions)
      const facts = { units: times.tokens, seconds: times.seconds }
      if (!alone) return { ...facts, value: percentile95(times.firstSeconds) }
      return { ...facts, value: times.seconds / (await rawSeconds(alone.policy, questions, newTokens)) }
    },
    close: async () => {
      await worker.terminate()
      await app.close()
      await policy.close()
      await alone?.close()
    },
  }
}

/** The same answers by the engine, asked for in one batch. */
async function rawSeconds(policy: LocalPolicy, questions: readonly string[], newTokens: number): Promise<number> {
  const began = performance.now()
  const requests = questions.map(content => ({
    prompt: [{ role: 'user' as const, content }],
    maxNewTokens: newTokens,
    temperature: 0,
  }))
  for await (const event of policy.generate(requests)) void event
  return (performance.now() - began) / 1000
}

const words = ['lung', 'heart', 'rhythm', 'effusion', 'nodule', 'fracture', 'normal', 'left', 'right', 'lead']

/** Others in every round, so that no cache of a server knows them; the peer asks the same. */
function questionsOf(clients: number, round: number): string[] {
  return Array.from({ length: clients }, (_client, client) =>
    [
      `round ${round}`,
      ...Array.from({ length: 40 }, (_word, at) => words[(client * 7 + at * 3 + ((client * at) % 11)) % 10]),
    ].join(' '),
  )
}

function percentile95(seconds: readonly number[]): number {
  return seconds.toSorted((a, b) => a - b)[Math.ceil(0.95 * seconds.length) - 1] ?? Number.NaN
}
