import type { Sample } from '@qoq-med/data-climb'
import type { Grammar } from '@qoq-med/model'

/**
 * How a policy answers: freely; freely but in the form and with the labels of a grammar; or not at all, its labels being
 * ranked by their log-probabilities.
 */
export const answerModes = ['generate', 'grammar', 'score'] as const

/** One of the answer modes. */
export type AnswerMode = (typeof answerModes)[number]

/** What a sample shows the policy: the ablations of table 3. */
export const inputChoices = ['full', 'vision+text', 'ecg+text', 'text'] as const

/** One choice of inputs. */
export type InputChoice = (typeof inputChoices)[number]

/** Makes the grammar of a sample's answers. */
export type GrammarOf = (sample: Sample) => Grammar

/**
 * Hides modalities of a sample, and keeps question and truth: the ablations of table 3. Boxes and masks go with the
 * pictures that they lie in.
 */
export function withInputs(sample: Sample, inputs: InputChoice): Sample {
  if (inputs === 'full') return sample
  const { images, boxes, mask, masks, views, locate, ecg, ...rest } = sample
  const visual = { images, boxes, mask, masks, views, locate }
  const kept = inputs === 'vision+text' ? defined(visual) : {}
  const signal = inputs === 'ecg+text' && ecg ? { ecg } : {}
  const shown = sample.modality.filter(
    one => one === 'text' || (one === 'ecg' ? inputs === 'ecg+text' : inputs === 'vision+text'),
  )
  return { ...rest, ...kept, ...signal, modality: shown }
}

/** Leaves out fields without a value. */
function defined<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: NonNullable<Fields[Name]>
  } // what is left has a value
}

/**
 * Reads labels out of their probabilities: the likeliest one. Where several may apply, those above .5; or, of probabilities
 * that are shares of one choice and so sum to 1, those that are likelier than all being equally likely.
 *
 * @param probabilities [L] in the order of the sample's labels
 */
export function likeliestLabels(
  { labels, answerMode }: Pick<Sample, 'labels' | 'answerMode'>,
  probabilities: readonly number[],
): string[] {
  const highest = Math.max(...probabilities)
  const likely = labels.filter((_label, index) => probabilities[index] === highest)
  if (answerMode === 'single') return likely.slice(0, 1)
  const sum = probabilities.reduce((all, one) => all + one, 0)
  const isOneChoice = Math.abs(sum - 1) < 1e-3
  const above = labels.filter((_label, index) => probabilities[index]! > (isOneChoice ? 1 / labels.length : 0.5))
  return above.length > 0 || !isOneChoice ? above : likely
}
