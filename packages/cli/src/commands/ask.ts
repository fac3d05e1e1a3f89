import type { QuestionParts } from '@qoq-med/data-climb'
import type { Completion, ContentPart, LocalPolicy, Message } from '@qoq-med/model'
import type { ParsedResponse } from '@qoq-med/rewards'
import type { CommandInput } from '../command-input.ts'
import { defineCommand } from '../command.ts'
import { complete } from '../complete.ts'
import { cliErrors } from '../errors.ts'
import { servingArguments, seenSizeOf, withPolicy } from '../local-policy.ts'
import { imageParts, readEcgFile, readPictures } from '../media-files.ts'
import { textTable } from '../text-table.ts'

/** Said wherever an answer is shown. */
export const researchNotice =
  'Research use only; not a medical device. Do not use this answer to diagnose or treat anyone.'

/** `qoq ask`: one question about pictures, an ECG or text. */
export const askCommand = defineCommand({
  meta: {
    name: 'ask',
    description: 'Ask a model one question about pictures, an ECG or a text; shows reasoning, boxes and labels.',
    examples: [
      'qoq ask --model runs/demo/model --ecg E00001.hea --label Normal --label "A. Fib/Aflutter" "Which rhythm is this?"',
    ],
  },
  args: {
    question: { type: 'positional', required: true, description: 'what to ask' },
    model: { type: 'string', value: 'DIR', required: true, description: 'model folder' },
    image: { type: 'strings', value: 'FILE', description: 'picture, DICOM file or volume to look at; may be repeated' },
    ecg: { type: 'strings', value: 'FILE', description: 'WFDB record to look at; may be repeated' },
    label: { type: 'strings', value: 'NAME', description: 'a label the answer may be; repeat it for every label' },
    multi: { type: 'flag', description: 'more than one of the labels may apply' },
    maxNewTokens: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 1,
      default: 512,
      description: 'tokens of the answer',
    },
    temperature: { type: 'number', value: 'T', min: 0, default: 0, description: '0 takes the likeliest token' },
    seed: { type: 'number', value: 'N', integer: true, min: 0, default: 0, description: 'same seed, same answer' },
    ...servingArguments,
  },
  run: async ({ args, input, output, signal }) => {
    if (args.question.trim() === '')
      throw cliErrors.VALUE_INVALID({ name: 'QUESTION', value: '', expected: 'a question' })
    const message = await userMessage(args, input)
    const answered = await withPolicy({ ...args, folder: input.resolve(args.model) }, output, policy =>
      answerQuestion(policy, message, { ...args, signal }),
    )
    output.result(answerDocument(answered), () => answerText(answered))
  },
})

interface Question {
  readonly question: string
  readonly image: readonly string[]
  readonly ecg: readonly string[]
  readonly label: readonly string[]
  readonly multi: boolean
}

/** Media first, then the question in the form that models are trained on: task, label list, answer form. */
async function userMessage({ question, image, ecg, label, multi }: Question, input: CommandInput): Promise<Message> {
  const { questionText } = await import('@qoq-med/data-climb')
  const images = (await Promise.all(image.map(file => readPictures(file, input)))).flat()
  const ecgs = await Promise.all(ecg.map(file => readEcgFile(file, input)))
  const choice = multi ? 'Choose all that apply' : 'Choose one'
  const task = label.length === 0 ? question : `${question} ${choice}: {labels}.`
  const parts: QuestionParts = {
    sampleId: '',
    cue: '',
    labels: label,
    answerMode: multi ? 'multi' : 'single',
    modality: images.length > 0 ? ['image'] : ['ecg'],
  }
  const content: ContentPart[] = [
    ...imageParts(images),
    ...ecgs.map(one => ({ type: 'ecg', ecg: one }) as const),
    { type: 'text', text: questionText(parts, { single: [task], multi: [task] }) },
  ]
  return { role: 'user', content }
}

/** An answer with the boxes in pixels of the files. */
interface Answered {
  readonly model: string
  readonly completion: Completion
  readonly parsed: ParsedResponse
}

interface AnswerOptions {
  readonly label: readonly string[]
  readonly maxNewTokens: number
  readonly temperature: number
  readonly seed: number
  readonly signal: AbortSignal
}

async function answerQuestion(
  policy: LocalPolicy,
  message: Message,
  { label, signal, maxNewTokens, temperature, seed }: AnswerOptions,
): Promise<Answered> {
  const completion = await complete(policy, { prompt: [message], maxNewTokens, temperature, seed }, signal)
  const { parseResponse } = await import('@qoq-med/rewards')
  const { inStoredPixels } = await import('@qoq-med/eval')
  const response = parseResponse(completion.text, { labels: label })
  const parts = typeof message.content === 'string' ? [] : message.content
  const images = parts.flatMap(part => (part.type === 'image' ? [part.image] : []))
  const parsed = inStoredPixels(response, images, await seenSizeOf(policy.model))
  return { model: policy.info.name, completion, parsed }
}

function answerDocument({ model, completion, parsed }: Answered): object {
  return {
    model,
    text: completion.text,
    reasoning: parsed.think ?? null,
    boxes: parsed.boxes.map(({ x1, y1, x2, y2 }) => [x1, y1, x2, y2].map(pixel)),
    boxLabels: parsed.boxes.map(({ label }) => label ?? null),
    answer: parsed.answer ?? null,
    labels: parsed.labels,
    problems: parsed.problems,
    finish: completion.finish,
    tokens: completion.tokenIds.length,
    notice: researchNotice,
  }
}

function answerText({ completion: { text, finish }, parsed }: Answered): string {
  const boxes = parsed.boxes.map(({ x1, y1, x2, y2, label }) => [
    label ?? '',
    ...[x1, y1, x2, y2].map(one => String(pixel(one))),
  ])
  const answer = parsed.labels.length > 0 ? parsed.labels.join(', ') : (parsed.answer ?? '')
  return [
    `Reasoning: ${parsed.think ?? 'none given'}`,
    boxes.length === 0 ? 'Boxes: none' : `Boxes (pixels):\n${textTable([['label', 'x1', 'y1', 'x2', 'y2'], ...boxes])}`,
    answer === '' ? `Answer: none in the response:\n${text}` : `Answer: ${answer}`,
    ...(finish === 'length' ? ['The response was cut off; raise --max-new-tokens for the rest.'] : []),
    '',
    researchNotice,
  ].join('\n')
}

/** To a tenth of a pixel: the conversion between picture sizes leaves long fractions. */
function pixel(value: number): number {
  return Math.round(value * 10) / 10
}
