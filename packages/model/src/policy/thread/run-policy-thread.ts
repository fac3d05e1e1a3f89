import { workerData, type MessagePort } from 'node:worker_threads'
import { sentError } from '@qoq-med/errors'
import type { LocalPolicy } from '../local-policy.ts'
import {
  joinVocabulary,
  type PolicyCall,
  type PolicyDescription,
  type PolicyOrder,
  type PolicyReport,
} from './thread-messages.ts'

/** What a thread's module opens its policy with. */
export interface PolicyThread {
  /** Answers what the other side asks of a policy, until that side closes it. */
  readonly serve: (policy: LocalPolicy) => Promise<void>
  /** Aborted when nobody waits for the policy any more. */
  readonly signal: AbortSignal
}

/**
 * The program of a module that `openThreadPolicy` starts: it opens a policy, serves it, and closes it again.
 *
 * @param work opens the policy, awaits `serve`, and frees what it opened
 * @example await runPolicyThread(async ({ serve }) => { await serve(new LocalPolicy({ ...loaded, executor })) })
 */
export async function runPolicyThread(work: (thread: PolicyThread) => Promise<void>): Promise<void> {
  const { port } = workerData as { readonly port: MessagePort } // as `openThreadPolicy` gives it
  const haste = new AbortController()
  const closed = Promise.withResolvers<void>()
  const post = batchedPost(port)
  const breakOff = (thrown: unknown): void => {
    post({ type: 'broken', error: sentError(thrown) })
    haste.abort()
    closed.resolve()
  }
  // A thread that just dies while the runtime computes for it takes the process with it.
  process.on('uncaughtException', breakOff)
  let answers: PolicyAnswers | undefined
  port.on('message', (order: PolicyOrder) => {
    if (order.type !== 'close') return answers?.take(order) // before it is open nothing else is asked
    if (order.isHasty) haste.abort()
    closed.resolve()
  })
  const serve = async (policy: LocalPolicy): Promise<void> => {
    answers = new PolicyAnswers(policy, post)
    post({ type: 'open', description: describe(policy) })
    haste.signal.addEventListener('abort', () => answers?.endAll(), { once: true })
    await closed.promise
    if (!haste.signal.aborted) await answers.settled()
  }
  try {
    await work({ serve, signal: haste.signal })
  } catch (thrown) {
    breakOff(thrown)
  }
  setImmediate(() => port.close()) // behind what was posted
}

/** The calls that a policy is answering. */
class PolicyAnswers {
  readonly #policy: LocalPolicy
  readonly #post: (report: PolicyReport) => void
  readonly #running = new Map<number, { readonly controller: AbortController; readonly answered: Promise<void> }>()

  constructor(policy: LocalPolicy, post: (report: PolicyReport) => void) {
    this.#policy = policy
    this.#post = post
  }

  take(order: Exclude<PolicyOrder, { readonly type: 'close' }>): void {
    if (order.type === 'cancel') return this.#running.get(order.id)?.controller.abort()
    const { id } = order
    const controller = new AbortController()
    const answered = this.#answer(order, controller.signal)
      .then(value => this.#post({ type: 'done', id, value }))
      .catch((thrown: unknown) => this.#post({ type: 'failed', id, error: sentError(thrown) }))
      .finally(() => this.#running.delete(id))
    this.#running.set(id, { controller, answered })
  }

  /** Ends what runs at its next token: nobody waits for it, and the policy could not be closed before. */
  endAll(): void {
    for (const { controller } of this.#running.values()) controller.abort()
  }

  /** Resolves when nothing runs any more. */
  async settled(): Promise<void> {
    await Promise.all(Array.from(this.#running.values(), ({ answered }) => answered))
  }

  async #answer(call: PolicyCall, signal: AbortSignal): Promise<unknown> {
    const { id } = call
    if (call.type === 'load') return this.#policy.load()
    if (call.type === 'token-ids') return this.#policy.tokenIds(call.texts)
    if (call.type === 'logprobs') {
      const { sequences, temperature } = call
      return this.#policy.logprobs(sequences, { signal, ...(temperature !== undefined && { temperature }) })
    }
    for await (const event of this.#policy.generate(call.requests, { signal })) this.#post({ type: 'event', id, event })
    return undefined
  }
}

/** Sends what is told in one turn of the event loop as one message: a step of the decoder ends in a report for every answer. */
function batchedPost(port: MessagePort): (report: PolicyReport) => void {
  let reports: PolicyReport[] = []
  return report => {
    reports.push(report)
    if (reports.length > 1) return
    setImmediate(() => {
      const told = reports
      reports = [] // before what may throw: else nothing would be told any more
      port.postMessage(told, [])
    })
  }
}

function describe({ info, model: { imageProcessor, tokenizer } }: LocalPolicy): PolicyDescription {
  return { info, imageProcessor, vocabulary: joinVocabulary(tokenizer.vocabSize, id => tokenizer.bytes(id)) }
}
