import type { z } from 'zod'
import { readJudgeLog, appendJudged, type JudgedLine } from './judge-log.ts'
import type { EvaluatedPolicy } from '../run/evaluated-policy.ts'
import { mendLog } from '../run/sample-log.ts'
import { inLanes } from '../run/in-lanes.ts'
import { jsonHash } from '../run/json-hash.ts'

/** One question to a judge. */
export interface JudgeQuestion {
  /** What is judged, such as a sample's id and the pass. */
  readonly id: string
  /** The rubric and what is to be judged. */
  readonly prompt: string
}

/** How a judge is asked. */
export interface JudgeOptions {
  /** Any policy; over an endpoint, `RemotePolicy` of `@qoq-med/model`. */
  readonly judge: EvaluatedPolicy
  /** JSON lines of all that was asked and said; a judgement that is in it is not asked again. */
  readonly file: string
  /** Questions at a time; 4 by default. */
  readonly concurrency?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
}

/** Tokens of a judgement: some judges think aloud before it. */
const maxNewTokens = 2048

/**
 * Asks a judge at temperature 0 and reads its verdicts by a schema; everything said is kept in the file as it comes.
 *
 * @returns per question its verdict, or nothing where what was said is none
 * @throws EVAL_LOG_UNREADABLE, and what the policy throws
 */
export async function askJudge<Schema extends z.ZodType>(
  questions: readonly JudgeQuestion[],
  schema: Schema,
  { judge, file, concurrency = 4, signal, onProgress }: JudgeOptions,
): Promise<(z.output<Schema> | undefined)[]> {
  await mendLog(file)
  const known = await readJudgeLog(file)
  const keys = questions.map(({ id, prompt }) => jsonHash([judge.info.name, id, prompt]))
  const pending = questions.flatMap((question, index) =>
    known.has(keys[index]!) ? [] : [{ question, key: keys[index]! }],
  )
  let done = questions.length - pending.length
  onProgress?.({ done, total: questions.length })
  await inLanes(pending, concurrency, async ({ question: { id, prompt }, key }) => {
    signal?.throwIfAborted()
    const { text: said, isWhole } = await answerOf(judge, prompt, signal)
    const line: JudgedLine = { key, id, judge: judge.info.name, prompt, said }
    if (isWhole) await appendJudged(file, line) // what was cut off may be asked again
    known.set(key, line)
    onProgress?.({ done: ++done, total: questions.length })
  })
  return keys.map(key => parseVerdict(known.get(key)?.said ?? '', schema))
}

async function answerOf(
  judge: EvaluatedPolicy,
  text: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const prompt = [{ role: 'user', content: [{ type: 'text', text }] }] as const
  let said = { text: '', isWhole: false }
  const sampling = { temperature: 0, topP: 1, seed: 0, maxNewTokens }
  for await (const event of judge.generate([{ prompt, ...sampling }], signal ? { signal } : {}))
    if (event.type === 'sample-end')
      said = { text: event.completion.text, isWhole: event.completion.finish !== 'length' }
  return said
}

/** The last JSON object of a text that fits the schema: judges like to think aloud before and after. */
function parseVerdict<Schema extends z.ZodType>(said: string, schema: Schema): z.output<Schema> | undefined {
  const places = (character: string): number[] =>
    [...said.matchAll(new RegExp(`\\${character}`, 'g'))].map(match => match.index)
  const [starts, ends] = [places('{').slice(-mostBraces).toReversed(), places('}').slice(-mostBraces).toReversed()]
  for (const end of ends)
    for (const start of starts) {
      if (start > end) continue
      const parsed = schema.safeParse(jsonOrNothing(said.slice(start, end + 1)))
      if (parsed.success) return parsed.data
    }
  return undefined
}

/** Braces that are looked at from the end: a text of braces alone takes no longer than that. */
const mostBraces = 40

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
