// A thread with clients of a chat server, so that their work is not done by the thread that serves.
import { parentPort } from 'node:worker_threads'

/** What clients are to ask. */
export interface ChatJob {
  /** Of the server. */
  readonly url: string
  /** One a client. */
  readonly questions: readonly string[]
  readonly newTokens: number
}

/** What they saw. */
export interface ChatTimes {
  /** From the first request to the last answer's end. */
  readonly seconds: number
  /** Of each client, until its first words came. */
  readonly firstSeconds: readonly number[]
  readonly tokens: number
}

async function answered(url: string, question: string, newTokens: number): Promise<{ first: number; tokens: number }> {
  const began = performance.now()
  const body = {
    messages: [{ role: 'user', content: question }],
    max_tokens: newTokens,
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
  }
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok || !response.body) throw new Error(`The server answered with ${response.status}.`)
  let [text, first] = ['', 0]
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece
    if (first === 0 && /"content":"[^"]/.test(text)) first = (performance.now() - began) / 1000
  }
  return { first, tokens: Number(/"completion_tokens":(\d+)/.exec(text)?.[1] ?? 0) }
}

parentPort?.on('message', async ({ url, questions, newTokens }: ChatJob) => {
  const began = performance.now()
  const answers = await Promise.all(questions.map(async question => answered(url, question, newTokens)))
  const times: ChatTimes = {
    seconds: (performance.now() - began) / 1000,
    firstSeconds: answers.map(({ first }) => first),
    tokens: answers.reduce((sum, { tokens }) => sum + tokens, 0),
  }
  parentPort?.postMessage(times, [])
})
