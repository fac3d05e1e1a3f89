import { createContext, Script } from 'node:vm'

const context = createContext({ work: undefined as (() => unknown) | undefined })
const caller = new Script('work()')

/**
 * Does some work and ends it when it takes too long, wherever it is: in a loop, or in a pattern that backtracks.
 *
 * @throws an Error with the code ERR_SCRIPT_EXECUTION_TIMEOUT, or what the work throws
 */
export function withTimeLimit<Value>(limitMs: number, work: () => Value): Value {
  const outer = context['work']
  context['work'] = work
  try {
    return caller.runInContext(context, { timeout: limitMs }) as Value // what work returns
  } finally {
    context['work'] = outer
  }
}
