/** Lets work that goes on by itself, such as a training run, make one step at a time. */
export interface StepGate {
  /** Called by the work after each step: says that the step is done and waits until the next is asked for. */
  wait(): Promise<void>
  /** Called when the work is over, with what ended it if it failed. */
  end(error?: unknown): void
  /** Asks for the next step and waits until it is done. Before the first step there is nothing to ask for. */
  next(): Promise<void>
  /** Lets the work go on without waiting. */
  open(): void
}

/** Creates a gate. */
export function createStepGate(): StepGate {
  let go: (() => void) | undefined
  let isOpen = false
  let ended: { readonly error: unknown } | undefined
  let done: { resolve: () => void; reject: (error: unknown) => void } | undefined
  return {
    wait: () => {
      done?.resolve()
      done = undefined
      if (isOpen) return Promise.resolve()
      return new Promise(resolve => (go = resolve))
    },
    end: error => {
      ended = { error: error ?? new Error('The work ended before it was asked to.') }
      done?.reject(ended.error)
    },
    next: () =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended.error) // whatever the work threw
        done = { resolve, reject }
        go?.()
        go = undefined
      }),
    open: () => {
      isOpen = true
      go?.()
    },
  }
}
