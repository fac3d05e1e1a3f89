import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads'
import { seenSize } from '@qoq-med/encoders'
import { isHintedError, receivedError } from '@qoq-med/errors'
import { modelErrors } from '../../errors.ts'
import { createEventQueue } from '../../generation/event-queue.ts'
import type { GenerateEvent, GenerateRequest } from '../../generation/generate-request.ts'
import type { PolicyLoad } from '../../generation/policy-load.ts'
import type { ImageSize } from '../../prompt/image-size.ts'
import type { GenerateOptions, LogprobsOptions, Policy, PolicyInfo, Sequence } from '../policy.ts'
import { untilAborted } from '../until-aborted.ts'
import {
  bytesOfToken,
  type PolicyCall,
  type PolicyDescription,
  type PolicyOrder,
  type PolicyReport,
} from './thread-messages.ts'

/** How a thread with a policy is started. */
export interface OpenThreadPolicyOptions {
  /** A module that calls `runPolicyThread`. */
  readonly module: URL
  /** What the module finds in its `workerData`, beside `port`. */
  readonly data?: object
  /** Flags of Node for the thread, such as conditions of packages. Default: those of the process. */
  readonly execArgv?: readonly string[]
  /** Is told what the module posts to its parent: how far it is, for example. */
  readonly onMessage?: (message: unknown) => void
  /** Gives the opening up; aborted later, closing the policy waits for nothing. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Starts a thread that opens a policy. Preparing prompts and computing then hold up no one here.
 *
 * @throws what the module throws, MODEL_THREAD_ENDED, the signal's reason
 * @example const policy = await openThreadPolicy({ module: new URL('policy-thread.js', import.meta.url), data: { folder } })
 */
export async function openThreadPolicy(options: OpenThreadPolicyOptions): Promise<ThreadPolicy> {
  const { module, data, execArgv, onMessage = () => {}, signal } = options
  signal?.throwIfAborted()
  const { port1: port, port2 } = new MessageChannel()
  const worker = new Worker(module, {
    workerData: { ...data, port: port2 },
    transferList: [port2],
    ...(execArgv && { execArgv: [...execArgv] }),
  })
  worker.on('message', onMessage)
  const thread = new PolicyThreadCalls(worker, port)
  try {
    return new ThreadPolicy(thread, await untilAborted(thread.opened, signal), signal)
  } catch (thrown) {
    void thread.close({ isHasty: true })
    throw thrown
  }
}

/** A policy in a thread of this process. */
export class ThreadPolicy implements Policy {
  readonly info: PolicyInfo
  /** Is aborted when the thread ends without being asked to; its reason says why. Every call then fails. */
  readonly ended: AbortSignal
  readonly #thread: PolicyThreadCalls
  readonly #description: PolicyDescription
  readonly #signal: AbortSignal | undefined
  #isClosed = false

  /** @internal Use `openThreadPolicy`. */
  constructor(thread: PolicyThreadCalls, description: PolicyDescription, signal: AbortSignal | undefined) {
    this.info = description.info
    this.ended = thread.ended
    this.#thread = thread
    this.#description = description
    this.#signal = signal
  }

  /** Answers prompts as `LocalPolicy` does; all that it throws is thrown by the iteration. Arrays on shared memory are not copied. */
  generate(requests: readonly GenerateRequest[], { signal }: GenerateOptions = {}): AsyncIterable<GenerateEvent> {
    this.#requireOpen('generation')
    const queue = createEventQueue<GenerateEvent>(() => {
      signal?.removeEventListener('abort', cancel)
      call.cancel()
    })
    const cancel = (): void => queue.fail(signal?.reason)
    const call = this.#thread.call(
      { type: 'generate', requests },
      { event: event => queue.push(event), done: () => queue.end(), failed: error => queue.fail(error) },
    )
    signal?.addEventListener('abort', cancel, { once: true })
    if (signal?.aborted) cancel()
    return queue
  }

  /** As of `LocalPolicy`. @throws MODEL_POLICY_CLOSED, MODEL_THREAD_ENDED, and what `LocalPolicy.logprobs` throws */
  async logprobs(
    sequences: readonly Sequence[],
    { temperature, signal }: LogprobsOptions = {},
  ): Promise<Float32Array[]> {
    this.#requireOpen('scoring')
    return this.#asked({ type: 'logprobs', sequences, temperature }, signal) as Promise<Float32Array[]> // as the thread gives
  }

  async tokenIds(texts: readonly string[]): Promise<Int32Array[]> {
    this.#requireOpen('encoding')
    return this.#asked({ type: 'token-ids', texts }) as Promise<Int32Array[]> // as the thread gives
  }

  tokenBytes(tokenId: number): Uint8Array {
    return bytesOfToken(this.#description.vocabulary, tokenId)
  }

  seenSize(stored: ImageSize): ImageSize {
    return seenSize(stored, this.#description.imageProcessor)
  }

  async load(): Promise<PolicyLoad> {
    this.#requireOpen('its load')
    return this.#asked({ type: 'load' }) as Promise<PolicyLoad> // as the thread gives
  }

  /** Waits for what is running and for the end of the thread; for neither when its signal is aborted. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#thread.close({ isHasty: this.#signal?.aborted ?? false })
  }

  #asked(call: UnnamedCall, signal?: AbortSignal): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const { cancel } = this.#thread.call(call, { done: resolve, failed: reject })
    return untilAborted(promise, signal).finally(cancel)
  }

  #requireOpen(operation: string): void {
    if (this.#isClosed) throw modelErrors.POLICY_CLOSED({ operation })
    this.ended.throwIfAborted()
  }
}

type Unnamed<Call> = Call extends unknown ? Omit<Call, 'id'> : never
type UnnamedCall = Unnamed<PolicyCall>

/** Who waits for a call. */
interface CallListener {
  readonly event?: (event: GenerateEvent) => void
  readonly done: (value: unknown) => void
  readonly failed: (error: Error) => void
}

/** The calls that a thread is answering, and whether it still does. */
class PolicyThreadCalls {
  readonly #port: MessagePort
  readonly #listeners = new Map<number, CallListener>()
  readonly #opened = Promise.withResolvers<PolicyDescription>()
  readonly #ended = new AbortController()
  readonly #exited: Promise<void>
  #calls = 0
  #isClosing = false

  constructor(worker: Worker, port: MessagePort) {
    this.#port = port
    this.#opened.promise.catch(() => undefined) // whoever opens may have given up
    this.#exited = new Promise(resolve => worker.on('exit', () => resolve()))
    port.on('message', (reports: readonly PolicyReport[]) => this.#hearAll(reports))
    worker.on('error', cause => this.#end(modelErrors.THREAD_ENDED({}, { cause })))
    worker.on('exit', () => {
      // Its end may be heard before what it said.
      for (let said = receiveMessageOnPort(port); said !== undefined; said = receiveMessageOnPort(port))
        this.#hearAll(said.message as readonly PolicyReport[]) // nothing else is sent there
      port.close()
      this.#end(modelErrors.THREAD_ENDED({}))
    })
  }

  /** What the policy is, once it is open. */
  get opened(): Promise<PolicyDescription> {
    return this.#opened.promise
  }

  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** Asks the thread for something. @returns what says that nobody waits for it any more; afterwards it does nothing */
  call(call: UnnamedCall, listener: CallListener): { readonly cancel: () => void } {
    const id = this.#calls++
    this.#post({ ...call, id })
    this.#listeners.set(id, listener)
    return {
      cancel: () => {
        if (this.#listeners.delete(id)) this.#post({ type: 'cancel', id })
      },
    }
  }

  async close({ isHasty }: { readonly isHasty: boolean }): Promise<void> {
    this.#isClosing = true
    this.#post({ type: 'close', isHasty })
    // In haste nobody waits, but the process goes on until the runtime has computed what it computes: it cannot be stopped.
    if (!isHasty) await this.#exited
  }

  #post(order: PolicyOrder): void {
    this.#port.postMessage(order, [])
  }

  #hearAll(reports: readonly PolicyReport[]): void {
    for (const report of reports) this.#hear(report)
  }

  #hear(report: PolicyReport): void {
    if (report.type === 'open') return this.#opened.resolve(report.description)
    if (report.type === 'broken') return this.#break(receivedError(report.error))
    const listener = this.#listeners.get(report.id)
    if (!listener) return
    if (report.type === 'event') return listener.event?.(report.event)
    this.#listeners.delete(report.id)
    if (report.type === 'done') listener.done(report.value)
    else listener.failed(receivedError(report.error))
  }

  /** Whoever opens the policy is told what was thrown; later, what has no code is a mistake of the thread's program. */
  #break(error: Error): void {
    this.#opened.reject(error)
    this.#end(isHintedError(error) ? error : modelErrors.THREAD_ENDED({}, { cause: error }))
  }

  #end(error: Error): void {
    this.#opened.reject(error)
    for (const [id, { failed }] of this.#listeners) {
      this.#listeners.delete(id)
      failed(error)
    }
    if (!this.#isClosing) this.#ended.abort(error)
  }
}
