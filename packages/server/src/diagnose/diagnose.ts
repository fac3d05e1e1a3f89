import {
  reasonedLabels,
  type Completion,
  type ContentPart,
  type Message,
  type Policy,
  type TokenUsage,
} from '@qoq-med/model'
import { parseResponse, type ParsedResponse } from '@qoq-med/rewards'
import type { DicomReference } from '@qoq-med/data-climb'
import { serverErrors } from '../errors.ts'
import type { DecodedMedia, DecodedPicture } from '../media/decoded-media.ts'
import { mediaContent } from '../media/media-content.ts'
import { seenPictures, type SeenPicture } from '../media/seen-pictures.ts'
import { Withheld } from '../withheld.ts'
import { answerProbabilities } from './answer-probabilities.ts'
import { storedBoxes, type StoredBox } from './stored-boxes.ts'
import type { DiagnoseTask } from './diagnose-task.ts'

/** A picture of the request as the model was shown it. */
export type ShownPicture = SeenPicture &
  Omit<DecodedPicture, 'image' | 'reference'> & { readonly reference?: Withheld<DicomReference> }

/** What a policy said of the files of a request. */
export interface Diagnosis {
  readonly id: string
  readonly model: string
  readonly seed: number
  readonly task: DiagnoseTask
  readonly completion: Completion
  readonly parsed: ParsedResponse
  readonly pictures: readonly ShownPicture[]
  readonly boxes: readonly StoredBox[]
  readonly probabilities: Readonly<Record<string, number>> | undefined
  readonly warnings: readonly string[]
  /** Missing where the policy does not count tokens. */
  readonly usage: TokenUsage | undefined
  readonly timing: DiagnosisTiming
}

/** Milliseconds of the parts of a diagnosis. */
export interface DiagnosisTiming {
  readonly decode: number
  readonly generate: number
  readonly score: number
}

/** What is asked of a policy. */
export interface DiagnoseOptions {
  readonly id: string
  readonly seed: number
  readonly temperature: number
  readonly maxNewTokens: number
  readonly wantsProbabilities: boolean
  /** Milliseconds that decoding took. */
  readonly decodeMs: number
  readonly signal: AbortSignal
  /** Is told of every piece of the answer's text. */
  readonly onText?: (text: string) => void
}

/** Asks a policy about decoded files, and reads its answer. @throws SERVER_ANSWER_MISSING, and what the policy throws */
export async function diagnose(
  policy: Policy,
  { task, media }: { readonly task: DiagnoseTask; readonly media: DecodedMedia },
  options: DiagnoseOptions,
): Promise<Diagnosis> {
  const messages = [{ role: 'user', content: contentOf(media, task) }] as const
  const start = performance.now()
  const { completion, usage } = await answer(policy, messages, { ...options, task })
  const answered = performance.now()
  const parsed = parseResponse(completion.text, { labels: task.labels })
  const probabilities = options.wantsProbabilities
    ? await answerProbabilities(policy, {
        messages,
        answered: completion.text,
        labels: task.labels,
        signal: options.signal,
      })
    : undefined
  const shown = media.groups.flatMap(({ pictures }) => pictures)
  const seen = seenPictures(
    shown.map(({ image }) => image),
    policy,
  )
  const pictures = shown.map(({ image: _image, reference, ...picture }, i) => ({
    ...picture,
    ...seen[i]!, // one for each
    ...(reference && { reference: new Withheld(reference) }),
  }))
  const { boxes, warnings } = storedBoxes(parsed.boxes, pictures)
  return {
    id: options.id,
    model: policy.info.name,
    seed: options.seed,
    task,
    completion,
    parsed,
    pictures,
    boxes,
    probabilities,
    warnings: [...media.warnings, ...warnings, ...formWarnings(policy, { task, completion, parsed })],
    usage,
    timing: { decode: options.decodeMs, generate: answered - start, score: performance.now() - answered },
  }
}

/** The media, then the text: the order of training. */
function contentOf(media: DecodedMedia, task: DiagnoseTask): ContentPart[] {
  const modality = [
    ...(media.groups.length > 0 ? (['image'] as const) : []),
    ...(media.ecgs.length > 0 ? (['ecg'] as const) : []),
    'text' as const,
  ]
  return [...mediaContent(media), { type: 'text', text: task.prompt(modality) }]
}

interface AnswerOptions extends DiagnoseOptions {
  readonly task: DiagnoseTask
}

async function answer(
  policy: Policy,
  prompt: readonly Message[],
  { task: { labels, answerMode }, temperature, seed, maxNewTokens, signal, onText = () => {} }: AnswerOptions,
): Promise<Pick<Diagnosis, 'completion' | 'usage'>> {
  // A policy elsewhere takes no grammar.
  const isHeld = labels.length > 0 && policy.tokenIds !== undefined
  const grammar = isHeld ? { grammar: reasonedLabels(labels, { multiple: answerMode === 'multi' }) } : {}
  const events = policy.generate([{ prompt, temperature, seed, maxNewTokens, ...grammar }], { signal })
  let end: Pick<Diagnosis, 'completion' | 'usage'> | undefined
  for await (const event of events) {
    if (event.text !== '') onText(event.text)
    if (event.type === 'sample-end') end = { completion: event.completion, usage: event.usage }
  }
  if (!end) throw serverErrors.ANSWER_MISSING({ expected: 1, found: 0 })
  return end
}

function formWarnings(
  policy: Policy,
  { task, completion, parsed }: Pick<Diagnosis, 'task' | 'completion' | 'parsed'>,
): string[] {
  const isFree = task.labels.length > 0 && policy.tokenIds === undefined
  const isKnown = parsed.labels.every(label => task.labels.includes(label))
  return [
    ...(completion.finish === 'length' ? ['the answer was cut off; max_tokens was reached'] : []),
    ...(isFree && !isKnown ? ['the answer names a label that is not of the list'] : []),
  ]
}
