import type { QuestionParts } from '@qoq-med/data-climb'
import type { Completion, Encoded, LocalPolicy, Message } from '@qoq-med/model'
import type { ParsedResponse } from '@qoq-med/rewards'
import type { CommandInput } from '../command-input.ts'
import { defineCommand } from '../command.ts'
import { complete } from '../complete.ts'
import { cliErrors } from '../errors.ts'
import { answerGrammar } from '../ask/answer-grammar.ts'
import { drawAnswer } from '../ask/answer-drawing.ts'
import { askedMedia, missingMedia, untrainedMedia, type AskedMedia } from '../ask/asked-media.ts'
import { labelProbabilities } from '../ask/label-probabilities.ts'
import { servingArguments, withPolicy } from '../local-policy.ts'
import { modelFolder, trainedDatasets } from '../model-folder.ts'
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
      'qoq ask --model runs/demo/run --ecg E00001.hea --label Normal --label "A. Fib/Aflutter" "Which rhythm is this?"',
      'qoq ask --model runs/demo/run --image scan.nii.gz --window brain --out answer.html "Is there a tumor?"',
    ],
  },
  args: {
    question: { type: 'positional', required: true, description: 'what to ask' },
    model: { type: 'string', value: 'DIR', required: true, description: 'model folder, or the folder of a run' },
    image: {
      type: 'strings',
      value: 'FILE',
      description: 'picture, DICOM file, volume or video to look at; may be repeated',
    },
    window: {
      type: 'string',
      value: 'WINDOW',
      default: 'file',
      description:
        'values of a scan that are seen: CENTRE/WIDTH, lung, bone, brain, soft-tissue, angiogram, range or file',
    },
    ecg: { type: 'strings', value: 'FILE', description: 'ECG to look at, in any format that is read; may be repeated' },
    label: {
      type: 'strings',
      value: 'NAME',
      description: 'a label the answer may be; repeat it for every label, and no other is answered',
    },
    multi: { type: 'flag', description: 'more than one of the labels may apply' },
    out: { type: 'string', value: 'FILE', description: 'draw the answer: pictures with boxes, ECGs; .png or .html' },
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
    const out = args.out === undefined ? undefined : drawingFile(args.out, input)
    const folder = await modelFolder(input.resolve(args.model))
    const media = await askedMedia(args, input)
    const warnings = [
      ...media.warnings,
      ...missingMedia(args.question, media),
      ...(await untrainedMedia(await trainedDatasets(folder), media)),
    ]
    for (const warning of warnings) output.note(`Note: ${warning}.`)
    if (out !== undefined && media.parts.length === 0)
      throw cliErrors.VALUE_INVALID({ name: '--out', value: args.out ?? '', expected: 'given with --image or --ecg' })
    const message = await userMessage(args, media)
    const answered = await withPolicy({ ...args, folder }, output, policy =>
      answerQuestion(policy, message, { ...args, media, warnings, signal }),
    )
    if (out !== undefined)
      await drawAnswer(out, { question: args.question, media, parsed: answered.parsed, words: answerText(answered) })
    output.result(answerDocument(answered), () => answerText(answered) + (out === undefined ? '' : `\nDrawn: ${out}`))
  },
})

function drawingFile(file: string, input: CommandInput): string {
  if (/\.(png|html?)$/i.test(file)) return input.resolve(file)
  throw cliErrors.VALUE_INVALID({ name: '--out', value: file, expected: 'a file that ends in .png or .html' })
}

interface Question {
  readonly question: string
  readonly label: readonly string[]
  readonly multi: boolean
}

/** Media first, then the question in the form that models are trained on: task, label list, answer form. */
async function userMessage({ question, label, multi }: Question, media: AskedMedia): Promise<Message> {
  const { questionText } = await import('@qoq-med/data-climb')
  const choice = multi ? 'Choose all that apply' : 'Choose one'
  const task = label.length === 0 ? question : `${question} ${choice}: {labels}.`
  const parts: QuestionParts = {
    sampleId: '',
    cue: '',
    labels: label,
    answerMode: multi ? 'multi' : 'single',
    modality: media.pictures.length > 0 ? ['image'] : ['ecg'],
  }
  const text = questionText(parts, { single: [task], multi: [task] })
  return { role: 'user', content: [...media.parts, { type: 'text', text }] }
}

/** An answer with the boxes in pixels of the files. */
interface Answered {
  readonly model: string
  readonly completion: Completion
  readonly parsed: ParsedResponse
  readonly probabilities: Readonly<Record<string, number>> | undefined
  readonly warnings: readonly string[]
}

interface AnswerOptions extends Question {
  readonly media: AskedMedia
  readonly warnings: readonly string[]
  readonly maxNewTokens: number
  readonly temperature: number
  readonly seed: number
  readonly signal: AbortSignal
}

async function answerQuestion(
  policy: LocalPolicy,
  message: Message,
  { label, multi, media, warnings, signal, maxNewTokens, temperature, seed }: AnswerOptions,
): Promise<Answered> {
  const prompt = policy.model.encode([message])
  const grammar = label.length === 0 ? {} : { grammar: await answerGrammar(label, multi) }
  const completion = await complete(policy, { prompt, maxNewTokens, temperature, seed, ...grammar }, signal)
  const { parseResponse } = await import('@qoq-med/rewards')
  const { inStoredPixels } = await import('@qoq-med/eval')
  const response = parseResponse(completion.text, { labels: label })
  const parsed = inStoredPixels(response, media.pictures, seenSizes(policy, prompt, media))
  const probabilities = label.length > 1 ? await labelProbabilities(policy, prompt, completion.text, label) : undefined
  return { model: policy.info.name, completion, parsed, probabilities, warnings }
}

interface Size {
  readonly width: number
  readonly height: number
}

/** The size at which the model sees each picture; all frames of a clip are seen at one. */
function seenSizes({ model }: LocalPolicy, { vision }: Encoded, { parts }: AskedMedia): (stored: Size) => Size {
  const { patchSize } = model.imageProcessor
  const visual = parts.flatMap(part =>
    part.type === 'image' ? [[part.image]] : part.type === 'video' ? [part.frames] : [],
  )
  const sizes = new Map<Size, Size>()
  for (const [i, pictures] of visual.entries()) {
    const [, rows, columns] = vision[i]!.gridThw // one grid per picture or clip
    for (const picture of pictures) sizes.set(picture, { width: columns * patchSize, height: rows * patchSize })
  }
  return stored => sizes.get(stored) ?? stored
}

function answerDocument({ model, completion, parsed, probabilities, warnings }: Answered): object {
  return {
    model,
    text: completion.text,
    reasoning: parsed.think ?? null,
    boxes: parsed.boxes.map(({ x1, y1, x2, y2 }) => [x1, y1, x2, y2].map(pixel)),
    boxLabels: parsed.boxes.map(({ label }) => label ?? null),
    boxImages: parsed.boxes.map(({ image }) => image ?? 0),
    answer: parsed.answer ?? null,
    labels: parsed.labels,
    ...(probabilities && { probabilities }),
    problems: parsed.problems,
    warnings,
    finish: completion.finish,
    tokens: completion.tokenIds.length,
    notice: researchNotice,
  }
}

function answerText({ completion: { text, finish }, parsed, probabilities = {} }: Answered): string {
  const boxes = parsed.boxes.map(({ x1, y1, x2, y2, label }) => [
    label ?? '',
    ...[x1, y1, x2, y2].map(one => String(pixel(one))),
  ])
  const answer = parsed.labels.length > 0 ? parsed.labels.join(', ') : (parsed.answer ?? '')
  return [
    `Reasoning: ${parsed.think ?? 'none given'}`,
    boxes.length === 0
      ? 'Boxes: none'
      : `Boxes (pixels of the file):\n${textTable([['label', 'x1', 'y1', 'x2', 'y2'], ...boxes])}`,
    answer === '' ? `Answer: none in the response:\n${text}` : `Answer: ${answer}`,
    ...probabilityLines(probabilities),
    ...(finish === 'length' ? ['The response was cut off; raise --max-new-tokens for the rest.'] : []),
    '',
    researchNotice,
  ].join('\n')
}

/** The likeliest first. */
function probabilityLines(probabilities: Readonly<Record<string, number>>): string[] {
  const rows = Object.entries(probabilities).toSorted(([, a], [, b]) => b - a)
  if (rows.length === 0) return []
  return [`Probabilities:\n${textTable(rows.map(([label, value]) => [label, value.toFixed(3)]))}`]
}

/** To a tenth of a pixel: the conversion between picture sizes leaves long fractions. */
function pixel(value: number): number {
  return Math.round(value * 10) / 10
}
