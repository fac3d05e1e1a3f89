import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the server was asked. */
export interface ChatAsked {
  readonly body: { readonly messages: readonly { content: unknown }[]; readonly [field: string]: unknown }
  readonly authorization: string | undefined
  /** How many requests of the same body came before this one. */
  readonly earlier: number
}

/** How one request is answered. */
export type ChatReply =
  | { readonly type: 'text'; readonly text: string; readonly finish?: string; readonly logprobs?: readonly number[] }
  | {
      readonly type: 'status'
      readonly status: number
      readonly body?: string
      readonly headers?: Record<string, string>
    }
  /** Sends a part of the answer, and drops the connection. */
  | { readonly type: 'cut'; readonly text: string }
  /** Sends these bytes with status 200. */
  | { readonly type: 'raw'; readonly body: string; readonly contentType?: string }
  /** Drops the connection before it says anything. */
  | { readonly type: 'drop' }
  /** Says nothing, until the client goes away. */
  | { readonly type: 'hang' }

/** A server of chat completions for tests: it counts what it is asked and misbehaves as it is told. */
export interface ChatServer {
  /** The address before `/chat/completions`. */
  readonly url: string
  /** Every request so far, in order. */
  readonly asked: readonly ChatAsked[]
  /** Most requests that were open at a time. */
  readonly mostOpen: number
  close(): Promise<void>
}

/**
 * Starts a server on loopback.
 *
 * @param reply says how each request is answered; it may wait
 */
export async function startChatServer(
  reply: (asked: ChatAsked) => ChatReply | Promise<ChatReply>,
): Promise<ChatServer> {
  const asked: ChatAsked[] = []
  const counts = new Map<string, number>()
  let [open, mostOpen] = [0, 0]
  const server = createServer((request, response) => {
    open++
    mostOpen = Math.max(mostOpen, open)
    response.on('close', () => open--)
    void answer(request, response)
  })
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await readText(request)
    const earlier = counts.get(text) ?? 0
    counts.set(text, earlier + 1)
    const one: ChatAsked = {
      body: JSON.parse(text) as ChatAsked['body'],
      authorization: request.headers.authorization,
      earlier,
    } // what the client sent
    asked.push(one)
    send(response, one, await reply(one))
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // listening on TCP
  return {
    url: `http://127.0.0.1:${port}/v1`,
    asked,
    get mostOpen() {
      return mostOpen
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer) // bodies come as buffers
  return Buffer.concat(pieces).toString('utf8')
}

function send(response: ServerResponse, { body }: ChatAsked, reply: ChatReply): void {
  switch (reply.type) {
    case 'status':
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers }).end(reply.body ?? '{}')
      return
    case 'raw':
      response.writeHead(200, { 'content-type': reply.contentType ?? 'application/json' }).end(reply.body)
      return
    case 'drop':
      response.destroy()
      return
    case 'hang':
      return
    case 'cut':
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(chunkLine({ content: reply.text }), () => response.destroy())
      return
    case 'text':
      if (body['stream'] === true) sendStream(response, reply)
      else sendWhole(response, reply)
  }
}

function sendStream(
  response: ServerResponse,
  { text, finish = 'stop', logprobs = [] }: Extract<ChatReply, { type: 'text' }>,
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const pieces = text.match(/[\s\S]{1,7}/gu) ?? ['']
  for (const [index, piece] of pieces.entries()) response.write(chunkLine({ content: piece }, null, logprobs[index]))
  response.write(chunkLine({}, finish))
  response.write(`data: ${JSON.stringify({ choices: [], usage: usageOf(text) })}\n\n`)
  response.end('data: [DONE]\n\n')
}

function sendWhole(response: ServerResponse, { text, finish = 'stop' }: Extract<ChatReply, { type: 'text' }>): void {
  const choices = [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: finish }]
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ choices, usage: usageOf(text) }))
}

function usageOf(text: string): object {
  return { prompt_tokens: 10, completion_tokens: text.length, total_tokens: 10 + text.length }
}

function chunkLine(delta: object, finish: string | null = null, logprob?: number): string {
  const logprobs = logprob === undefined ? null : { content: [{ token: 'x', logprob }] }
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish, logprobs }] })}\n\n`
}
