import { normalizeLabel } from '@qoq-med/rewards'
import { z } from 'zod'
import { cohenKappa } from '../metrics/confusion-matrix.ts'
import type { SampleRecord } from '../run/sample-log.ts'
import { askJudge, type JudgeOptions, type JudgeQuestion } from './ask-judge.ts'

/** What a judge says of two answers. */
const verdicts = ['same', 'partly', 'different'] as const

const Verdict = z.object({ verdict: z.enum(verdicts) })

/** What a verdict is worth. */
const worth = { same: 1, partly: 0.5, different: 0 } as const

/** What a judge made of the answers of an evaluation. */
export interface JudgedAnswers {
  /** Mean worth (same 1, partly .5, different 0): of both passes, or 1 for an answer that is the true one word for word. */
  readonly score: number
  /** Samples that both passes judged. */
  readonly judged: number
  /** Samples whose answer is the true one word for word, which nobody was asked about. */
  readonly identical: number
  /** Samples of which a pass gave no verdict. */
  readonly unreadable: number
  /** Share of samples on which both passes agree. */
  readonly agreement: number
  /** Agreement of the passes beyond chance; NaN where both always say the same one thing. */
  readonly kappa: number
  /** By sample that was asked about, in the order of the records. */
  readonly samples: readonly {
    readonly sampleId: string
    readonly passes: readonly (('same' | 'partly' | 'different') | undefined)[]
  }[]
}

/**
 * Lets a judge compare each answer with the true one, in two passes with the order exchanged: a judge that prefers a place
 * disagrees with itself, and the agreement says so.
 *
 * @param records of an evaluation; their boxed answer is judged, or their whole response where there is no box
 * @throws as `askJudge`
 */
export async function judgeAnswers(records: readonly SampleRecord[], options: JudgeOptions): Promise<JudgedAnswers> {
  const asked = records.filter(record => !isIdentical(record))
  const questions = asked.flatMap(record => [0, 1].map(pass => questionOf(record, pass)))
  const found = await askJudge(questions, Verdict, options)
  const samples = asked.map(({ sampleId }, index) => ({
    sampleId,
    passes: [found[2 * index]?.verdict, found[2 * index + 1]?.verdict],
  }))
  const identical = records.length - asked.length
  const pairs = samples.flatMap(({ passes: [first, second] }) => (first && second ? [[first, second] as const] : []))
  const agreeing = pairs.filter(([first, second]) => first === second).length
  const total = pairs.reduce((sum, [first, second]) => sum + (worth[first] + worth[second]) / 2, identical)
  const counted = pairs.length + identical
  return {
    score: counted === 0 ? Number.NaN : total / counted,
    judged: pairs.length,
    identical,
    unreadable: samples.length - pairs.length,
    agreement: pairs.length === 0 ? Number.NaN : agreeing / pairs.length,
    kappa:
      pairs.length === 0
        ? Number.NaN
        : cohenKappa(
            pairs.map(([one]) => one),
            pairs.map(([, one]) => one),
          ),
    samples,
  }
}

function isIdentical({ truth, answer }: SampleRecord): boolean {
  return answer !== undefined && normalizeLabel(answer) === normalizeLabel(truth.join(', '))
}

function questionOf({ sampleId, question, truth, answer, response }: SampleRecord, pass: number): JudgeQuestion {
  const given = answer ?? response
  const [first, second] = pass === 0 ? [truth.join(', '), given] : [given, truth.join(', ')]
  return {
    id: `${sampleId} pass ${pass + 1}`,
    prompt: [
      'Two answers to one clinical question are given. Judge whether they say the same diagnosis or finding.',
      '"same": a clinician would act alike on both. "partly": one says a part of the other, or is less specific. "different": anything else.',
      'Wording, order, language and length do not count. Neither answer is known to be right.',
      '',
      `Question: ${question}`,
      `Answer A: ${first}`,
      `Answer B: ${second}`,
      '',
      'Reply with one JSON object and nothing else: {"reason": "one sentence", "verdict": "same" | "partly" | "different"}',
    ].join('\n'),
  }
}
