import type { SampleRecord } from './sample-log.ts'

/** How answers ended, in numbers of samples; the parts are disjoint, and all together every sample that was evaluated. */
export interface AnswerCounts {
  /** Held a boxed answer, or had their labels ranked. */
  readonly answered: number
  /** Ended without a boxed answer. */
  readonly unparseable: number
  /** Were cut off at the limit of new tokens before a boxed answer. */
  readonly cutOff: number
  /** Were refused by the endpoint's filter. */
  readonly refused: number
  /** Could not be asked, or were not answered; they count as wrong only where the evaluation says so. */
  readonly failed: number
}

/** How one record's answer ended. */
export function answerEnd({ answered, finish }: SampleRecord): Exclude<keyof AnswerCounts, 'failed'> {
  if (finish === 'refused') return 'refused'
  if (answered) return 'answered'
  return finish === 'length' ? 'cutOff' : 'unparseable'
}

/** Counts how answers ended. */
export function countAnswers(records: readonly SampleRecord[], failed: number): AnswerCounts {
  const ends = records.map(answerEnd)
  const count = (end: (typeof ends)[number]): number => ends.filter(one => one === end).length
  return {
    answered: count('answered'),
    unparseable: count('unparseable'),
    cutOff: count('cutOff'),
    refused: count('refused'),
    failed,
  }
}
