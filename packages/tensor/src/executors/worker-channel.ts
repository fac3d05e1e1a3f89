import type { TypedArray } from '../graph/tensor.ts'
import { Worker, type Transferable } from 'node:worker_threads'

interface Waiter<Answer> {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

/** A worker thread that answers requests one by one, in their order. */
export interface WorkerChannel<Request, Answer> {
  /** Sends a request; rejects with an `Error` when the thread ends before it answers. */
  request(message: Request, transfer?: readonly Transferable[]): Promise<Answer>
  /** Sends a last request, after which the thread ends by itself, and resolves when it has; one that died is fine. */
  stop(message: Request): Promise<void>
}

/**
 * Starts a worker thread from a file. The thread keeps the process alive only while it owes an answer.
 *
 * @param file a module that posts exactly one message for each one it gets
 */
export function openWorkerChannel<Request, Answer>(file: URL): WorkerChannel<Request, Answer> {
  const worker = new Worker(file, { execArgv: [] }) // flags such as --input-type are the main program's alone
  const waiting: Waiter<Answer>[] = []
  let failure: Error | undefined
  let isStopping = false
  const ended = new Promise<void>(resolve => {
    worker.on('exit', () => resolve())
  })
  const fail = (error: Error): void => {
    failure ??= error
    for (const waiter of waiting.splice(0)) waiter.reject(failure)
  }
  worker.on('message', (answer: Answer) => {
    waiting.shift()?.resolve(answer)
    if (waiting.length === 0 && !isStopping) worker.unref()
  })
  worker.on('error', fail)
  worker.on('messageerror', fail)
  worker.on('exit', code => fail(new Error(`The worker thread ended with the exit code ${code}.`)))
  worker.unref()
  return {
    stop: message => {
      isStopping = true
      worker.ref()
      worker.postMessage(message, [])
      return ended
    },
    request: (message, transfer = []) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure)
        worker.postMessage(message, transfer)
        waiting.push({ resolve, reject })
        worker.ref()
      }),
  }
}

/** Copies a view of a larger buffer, since a message would carry all of it; shared memory is never carried. */
export function withoutSurroundings<View extends TypedArray>(view: View): View {
  const isPart = view.byteLength !== view.buffer.byteLength && !(view.buffer instanceof SharedArrayBuffer)
  return isPart ? (view.slice() as View) : view // a slice has its array's type
}
