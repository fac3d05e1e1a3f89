import { fillTemplate } from './fill-template.ts'
import { pickByHash } from './stable-hash.ts'
import type { Modality } from './sample.ts'

/** What a question is made from (ψ of C.1). */
export interface QuestionParts {
  /** Decides the phrasing. */
  readonly sampleId: string
  /** What the media is, such as `chest X-ray`. */
  readonly cue: string
  readonly labels: readonly string[]
  readonly answerMode: 'single' | 'multi'
  readonly modality: readonly Modality[]
}

/** Phrasings of a task; `{cue}` and `{labels}` are filled in. */
export interface QuestionTemplates {
  readonly single: readonly [string, ...string[]]
  readonly multi: readonly [string, ...string[]]
}

/** The default phrasings. */
export const questionTemplates: QuestionTemplates = {
  single: [
    'Which label fits this {cue}? Choose one: {labels}.',
    'Read this {cue} and choose one label: {labels}.',
    'What does this {cue} show? Answer with one of: {labels}.',
  ],
  multi: [
    'Which labels fit this {cue}? Choose all that apply: {labels}.',
    'Read this {cue} and choose every label that applies: {labels}.',
    'What does this {cue} show? Answer with one or more of: {labels}.',
  ],
}

/** How the answer is to be written; the ECG form asks for no boxes. */
const answerForms = {
  image: {
    single: 'Reason in <think></think>, list boxes in ```json, then write \\boxed{label}.',
    multi: 'Reason in <think></think>, list boxes in ```json, then write \\boxed{label, label}.',
  },
  ecg: {
    single: 'Reason in <think></think>, then write \\boxed{label}.',
    multi: 'Reason in <think></think>, then write \\boxed{label, label}.',
  },
} as const

/**
 * Writes the prompt of a sample: task, modality cue, label list and answer form. Short on purpose: a small model with a
 * small vocabulary reads it too.
 */
export function questionText(
  { sampleId, cue, labels, answerMode, modality }: QuestionParts,
  templates: QuestionTemplates = questionTemplates,
): string {
  const task = pickByHash(templates[answerMode], `question|${sampleId}`)
  return `${fillTemplate(task, { cue, labels: labels.join(', ') })}\n${answerForm({ modality, answerMode })}`
}

/** How an answer is to be written, as the last line of every question says it. */
export function answerForm({ modality, answerMode }: Pick<QuestionParts, 'modality' | 'answerMode'>): string {
  return answerForms[modality.includes('image') || modality.includes('video') ? 'image' : 'ecg'][answerMode]
}
