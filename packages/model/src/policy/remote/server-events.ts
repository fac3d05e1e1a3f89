import { UnusableAnswer } from './chat-answer.ts'

/**
 * Reads the data of server-sent events as JSON documents, up to `[DONE]` or the end (WHATWG HTML, 9.2).
 *
 * @param maxBytes a stream that says more is refused
 * @throws UnusableAnswer for data that are no JSON, or too many
 */
export async function* serverEvents(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<unknown, void, undefined> {
  const decoder = new TextDecoder()
  let [rest, bytes] = ['', 0]
  for await (const piece of body) {
    bytes += piece.length
    if (bytes > maxBytes) throw new UnusableAnswer(`the response is longer than ${maxBytes} bytes`)
    const lines = (rest + decoder.decode(piece, { stream: true })).split(/\r\n|\n|\r/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('data:')) continue
      const data = line.slice(5).trim()
      if (data === '[DONE]') return
      yield parsed(data)
    }
  }
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    throw new UnusableAnswer('the stream holds something else than JSON')
  }
}
