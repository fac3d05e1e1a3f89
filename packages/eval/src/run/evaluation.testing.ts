import type { Sample } from '@qoq-med/data-climb'
import type { EvaluatedPolicy, PromptRequest } from './evaluated-policy.ts'

/** The labels of `mriSample`. */
export const mriLabels = ['glioma', 'none']

const picture = { width: 4, height: 2, data: new Uint8Array(24) }

/** A sample of two classes by turns, two of a patient, with a true box of half the picture. */
export function mriSample(index: number, rest: Partial<Sample> = {}): Sample {
  return {
    id: `brain/${index}`,
    dataset: 'brain',
    domain: 'mri',
    patientId: `p${Math.floor(index / 2)}`,
    modality: ['image'],
    split: 'test',
    question: `Question ${index}: which label fits?`,
    labels: mriLabels,
    answer: [index % 2 === 0 ? 'glioma' : 'none'],
    answerMode: 'single',
    files: [],
    images: async () => [picture],
    boxes: [{ x1: 0, y1: 0, x2: 2, y2: 2 }],
    reference: () => '',
    ...rest,
  }
}

/** An answer with a box that covers half of the true one. */
export const glioma = '<think>bright</think>\n```json\n[{"bbox_2d":[0,0,2,1],"label":"glioma"}]\n```\n\\boxed{glioma}'

/** A policy that keeps what it was asked. */
export interface FakePolicy extends EvaluatedPolicy {
  readonly asked: PromptRequest[]
}

/** A policy that answers by the question's text, the last request first; no text is no answer, and `answer` may throw. */
export function fakePolicy(
  answer: (question: string) => string | { readonly text: string; readonly finish: string } | undefined,
  name = 'fake',
): FakePolicy {
  const asked: PromptRequest[] = []
  return {
    info: { name },
    asked,
    async *generate(requests) {
      for (const [request, { prompt }] of [...requests.entries()].toReversed()) {
        asked.push(requests[request]!)
        const part = prompt[0]?.content.at(-1)
        const said = answer(part?.type === 'text' ? part.text : '')
        yield { type: 'token', request }
        if (said === undefined) continue
        const { text, finish } = typeof said === 'string' ? { text: said, finish: 'end' } : said
        yield { type: 'sample-end', request, completion: { text, finish, tokenIds: { length: text.length } } }
      }
    },
  }
}
