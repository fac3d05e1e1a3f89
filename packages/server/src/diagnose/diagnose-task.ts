import {
  answerForm,
  findDataset,
  parseWindow,
  questionText,
  type Modality,
  type WindowChoice,
} from '@qoq-med/data-climb'
import { serverErrors } from '../errors.ts'
import type { DiagnoseRequest } from './diagnose-request.ts'

/** What a diagnosis chooses from, and how it looks at its files. */
export interface DiagnoseTask {
  /** Empty where the question is free. */
  readonly labels: readonly string[]
  readonly answerMode: 'single' | 'multi'
  readonly window: WindowChoice | undefined
  /** The text of the prompt behind the media. */
  readonly prompt: (modality: readonly Modality[]) => string
}

/**
 * Takes the labels, the wording and the window of a request from its fields or from the dataset that it names.
 *
 * @throws SERVER_DIAGNOSE_TASK, SERVER_DATASET_UNKNOWN, DATA_OPTION_INVALID
 */
export function diagnoseTask(body: DiagnoseRequest): DiagnoseTask {
  const { labels, dataset: id, question, text, window, answer_mode: mode } = body
  if (labels && id) throw serverErrors.DIAGNOSE_TASK({ problem: 'labels and a dataset exclude each other' })
  if (!labels && !id && !question)
    throw serverErrors.DIAGNOSE_TASK({ problem: 'labels, a dataset or a question are missing' })
  const dataset = id ? knownDataset(id) : undefined
  const known = dataset?.labels ?? labels ?? []
  const answerMode = mode ?? dataset?.answerMode ?? 'single'
  const parts = { sampleId: 'diagnose', cue: dataset?.cue ?? 'study', labels: known, answerMode }
  const asked = (modality: readonly Modality[]): string =>
    question
      ? ownQuestion(question, { labels: known, modality, answerMode })
      : questionText({ ...parts, modality }, dataset?.templates)
  return {
    labels: known,
    answerMode,
    window: window ? parseWindow(window) : dataset?.window,
    prompt: modality => [...(text ? [text] : []), asked(modality)].join('\n'),
  }
}

function knownDataset(id: string): ReturnType<typeof findDataset> {
  try {
    return findDataset(id)
  } catch {
    throw serverErrors.DATASET_UNKNOWN({})
  }
}

interface OwnQuestion {
  readonly labels: readonly string[]
  readonly modality: readonly Modality[]
  readonly answerMode: 'single' | 'multi'
}

/** A question in the user's words, with the labels and the form of the answer as in training. */
function ownQuestion(question: string, { labels, ...form }: OwnQuestion): string {
  const choice = form.answerMode === 'multi' ? 'Choose all that apply' : 'Choose one'
  return `${question}${labels.length > 0 ? ` ${choice}: ${labels.join(', ')}.` : ''}\n${answerForm(form)}`
}
