/** A request that the server refused: its sentence, and what to do next. */
export class RequestFailure extends Error {
  readonly hint: string

  constructor(message: string, hint: string) {
    // Most clients show the message alone, so that it ends with the hint.
    super(message.endsWith(hint) ? message.slice(0, -hint.length).trim() : message)
    this.hint = hint
  }
}

/** Reads a document of the server. @throws RequestFailure */
export async function getJson<Value>(url: string): Promise<Value> {
  return jsonOf(await fetch(url))
}

/** Sends a form. @throws RequestFailure */
export async function postForm<Value>(url: string, form: FormData, signal?: AbortSignal): Promise<Value> {
  return jsonOf(await fetch(url, posted(form, signal)))
}

/** Sends a form and gives the events of the answer as they come. @throws RequestFailure, also on the way */
export async function* formEvents<Event>(url: string, form: FormData, signal: AbortSignal): AsyncGenerator<Event> {
  const response = await fetch(url, posted(form, signal))
  if (!response.ok || !response.body) throw await failureOf(response)
  let waiting = ''
  for await (const text of texts(response.body)) {
    const events = (waiting + text).split('\n\n')
    waiting = events.pop() ?? ''
    for (const event of events) yield eventOf(event) as Event // the server's own
  }
}

/** Readable streams are no async iterables in every browser. */
async function* texts(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  for (let part = await reader.read(); !part.done; part = await reader.read())
    yield decoder.decode(part.value, { stream: true })
}

function posted(body: FormData, signal: AbortSignal | undefined): RequestInit {
  return { method: 'POST', body, headers: { 'x-qoq-request': '1' }, ...(signal && { signal }) }
}

function eventOf(line: string): unknown {
  const event = JSON.parse(line.replace(/^data: /, '')) as Partial<ErrorBody> // the server's own
  if (event.error) throw new RequestFailure(event.error.message, event.error.hint)
  return event
}

interface ErrorBody {
  readonly error: { readonly message: string; readonly hint: string }
}

async function jsonOf<Value>(response: Response): Promise<Value> {
  if (!response.ok) throw await failureOf(response)
  return (await response.json()) as Value // the server's own
}

async function failureOf(response: Response): Promise<RequestFailure> {
  const body = (await response.json().catch(() => ({}))) as Partial<ErrorBody> // the server's own, or nothing
  const { message, hint } = body.error ?? {}
  return new RequestFailure(message ?? `The server answered ${response.status}.`, hint ?? 'Try again.')
}
