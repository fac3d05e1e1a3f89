/** What the parser can give up on; see `Problem`. */
export type ProblemType =
  | 'think-unopened'
  | 'think-unclosed'
  | 'boxed-missing'
  | 'boxed-unbalanced'
  | 'boxed-several'
  | 'boxed-empty'
  | 'boxed-in-think'
  | 'fence-unclosed'
  | 'json-invalid'
  | 'json-trailing'
  | 'entry-unreadable'
  | 'box-missing'
  | 'box-malformed'
  | 'box-not-finite'
  | 'box-reversed'
  | 'image-invalid'
  | 'problems-omitted'

/** One thing the parser gave up on or had to repair, without the text itself: safe for a log. */
export interface Problem {
  readonly type: ProblemType
  /** 0-based JSON block of the response it was found in. */
  readonly block?: number
  /** 0-based entry of that block. */
  readonly entry?: number
  /** How many there were, where one problem stands for several. */
  readonly count?: number
}

/** Problems beyond this many are counted, not listed. */
const maxListed = 64

/** Collects the problems of one response. */
export interface ProblemLog {
  /** Adds a problem. */
  report(problem: Problem): void
  /** Lists what was reported; a last `problems-omitted` counts what did not fit. */
  list(): readonly Problem[]
}

/** Starts an empty problem log. */
export function createProblemLog(): ProblemLog {
  const listed: Problem[] = []
  let omitted = 0
  return {
    report: problem => {
      if (listed.length < maxListed) listed.push(problem)
      else omitted += 1
    },
    list: () => (omitted === 0 ? listed : [...listed, { type: 'problems-omitted', count: omitted }]),
  }
}
