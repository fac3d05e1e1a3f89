import type { QuestionParts } from '@qoq-med/data-climb'
import type { Message } from '@qoq-med/model'
import type { CommandInput } from '../command-input.ts'
import { defineCommand } from '../command.ts'
import { cliErrors } from '../errors.ts'
import { drawAnswer } from '../ask/answer-drawing.ts'
import { answerDocument, answerQuestion, answerText } from '../ask/answered-question.ts'
import { askedMedia, missingMedia, untrainedMedia, type AskedMedia } from '../ask/asked-media.ts'
import { servingArguments, withPolicy } from '../local-policy.ts'
import { trainedDatasets } from '../model-folder.ts'
import { answeringModel, offeredLabels, optionalModel } from '../shipped-model.ts'

/** `qoq ask`: one question about pictures, an ECG or text. */
export const askCommand = defineCommand({
  meta: {
    name: 'ask',
    description: 'Ask a model one question about pictures, an ECG or a text; shows reasoning, boxes and labels.',
    examples: [
      'qoq ask --ecg E00001.hea "Which rhythm is this?"',
      'qoq ask --model runs/demo/run --ecg E00001.hea --label Normal --label "A. Fib/Aflutter" "Which rhythm is this?"',
      'qoq ask --model runs/demo/run --image scan.nii.gz --window brain --out answer.html "Is there a tumor?"',
    ],
  },
  args: {
    question: { type: 'positional', required: true, description: 'what to ask' },
    model: optionalModel,
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
    const folder = await answeringModel(args.model, input, output)
    const media = await askedMedia(args, input)
    const warnings = [
      ...media.warnings,
      ...missingMedia(args.question, media),
      ...(await untrainedMedia(await trainedDatasets(folder), media)),
    ]
    for (const warning of warnings) output.note(`Note: ${warning}.`)
    if (out !== undefined && media.parts.length === 0)
      throw cliErrors.VALUE_INVALID({ name: '--out', value: args.out ?? '', expected: 'given with --image or --ecg' })
    const asked = { ...args, ...(await offeredLabels(args, media, output)) }
    const message = await userMessage(asked, media)
    const answered = await withPolicy({ ...args, folder, signal }, output, policy =>
      answerQuestion(policy, message, { ...asked, pictures: media.pictures, warnings, signal }),
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
