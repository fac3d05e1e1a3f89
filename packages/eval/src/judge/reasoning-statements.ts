import { responseStatements } from '@qoq-med/rewards'
import type { SampleRecord } from '../run/sample-log.ts'

/** A statement of a reasoning trace, which a person or a judge grades. */
export interface ReasoningStatement {
  readonly sampleId: string
  /** Its place in the reasoning, from 0. */
  readonly statement: number
  readonly text: string
}

/**
 * Takes the reasoning of an answer apart into its sentences (by the rules of Unicode for English).
 *
 * @returns none where the answer has no reasoning
 */
export function reasoningStatements({
  sampleId,
  response,
}: Pick<SampleRecord, 'sampleId' | 'response'>): ReasoningStatement[] {
  return responseStatements(response).map((text, statement) => ({ sampleId, statement, text }))
}
