import { defineErrors, nearestName } from '@qoq-med/errors'

/** A choice, for a sentence. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return 'left out'
  return Array.isArray(value) ? value.join(', ') : typeof value === 'string' ? value : JSON.stringify(value)
}

/** The errors of this package; `docs/errors.md` lists them. */
export const evalErrors = defineErrors('EVAL', {
  NO_ROWS: {
    message: (p: { what: string }) => `There are no rows to compute ${p.what} from.`,
    hint: () => 'Pass at least one row with `truth` and `predicted`.',
  },
  LABELS_MISSING: {
    message: (p: { dataset: string; known: readonly string[] }) => `There is no label list for dataset "${p.dataset}".`,
    hint: p => {
      const meant = nearestName(p.dataset, p.known)
      return meant === undefined
        ? `Add "${p.dataset}" with its labels to the label lists.`
        : `Rename the list "${meant}" to "${p.dataset}", or add "${p.dataset}" with its labels.`
    },
  },
  LABELS_INVALID: {
    message: (p: { dataset: string; problem: string }) => `The label list of dataset "${p.dataset}" ${p.problem}.`,
    hint: () => 'Give each dataset a list of distinct label names.',
  },
  TRUTH_UNKNOWN: {
    message: (p: { dataset: string; label: string; labels: readonly string[] }) =>
      `Dataset "${p.dataset}" has the true label "${p.label}", which is not on its list.`,
    hint: p => {
      const meant = nearestName(p.label, p.labels)
      return meant === undefined ? 'Add the label to the list, or mend the row.' : `Did you mean "${meant}"?`
    },
  },
  DOMAIN_CONFLICT: {
    message: (p: { dataset: string; first: string; second: string }) =>
      `Dataset "${p.dataset}" appears in domain "${p.first}" and in domain "${p.second}".`,
    hint: () => 'Give every row of a dataset the same domain.',
  },
  LENGTH_MISMATCH: {
    message: (p: { what: string; first: number; second: number }) =>
      `The two lists of ${p.what} differ in length: ${p.first} and ${p.second}.`,
    hint: () => 'Pass lists that describe the same rows in the same order.',
  },
  VALUE_OUT_OF_RANGE: {
    message: (p: { name: string; value: number; range: string }) =>
      `${p.name} is ${p.value}, which is outside ${p.range}.`,
    hint: p => `Choose ${p.name} inside ${p.range}.`,
  },
  NO_SAMPLES: {
    message: () => 'There are no samples to evaluate.',
    hint: () => 'Choose a dataset and a split that has samples.',
  },
  LOG_UNREADABLE: {
    message: (p: { file: string; line: number }) => `Line ${p.line} of ${p.file} is not a record of an evaluation.`,
    hint: () => 'Remove the line or the file, or evaluate into another folder.',
  },
  RUN_MISMATCH: {
    message: (p: { dir: string; records: number }) =>
      `${p.dir} holds ${p.records} answers of another policy, or to other prompts or settings.`,
    hint: () => 'Evaluate into another folder, or remove this one.',
  },
  SETTINGS_DIFFER: {
    message: (p: { dir: string; field: string; before: unknown; after: unknown }) =>
      `${p.dir} holds an evaluation with ${p.field} ${shown(p.before)}; with ${shown(p.after)} it would be written over.`,
    hint: p => `Evaluate into another folder, remove this one, or leave ${p.field} as it was.`,
  },
  ANSWER_MISSING: {
    message: (p: { sampleId: string; policy: string }) =>
      `The policy ${p.policy} ended without an answer to sample ${p.sampleId}.`,
    hint: () => 'Run the evaluation again; the answers so far are kept.',
  },
  ABORTED: {
    message: (p: { done: number; total: number; dir: string }) =>
      `The evaluation was stopped after ${p.done} of ${p.total} samples; ${p.dir} keeps them.`,
    hint: () => 'Run the same command again to go on.',
  },
  NO_RUN: {
    message: (p: { dir: string }) => `${p.dir} holds no finished evaluation.`,
    hint: () => 'Pass a folder with the results.json of `qoq eval`; run that command again to finish a stopped one.',
  },
  NOTHING_IN_COMMON: {
    message: (p: { first: string; second: string }) => `No sample was answered in both ${p.first} and ${p.second}.`,
    hint: () => 'Compare evaluations of the same datasets and split.',
  },
  SCORES_MISSING: {
    message: (p: { policy: string }) => `${p.policy} does not give log-probabilities of labels.`,
    hint: () => 'Let it answer instead: --answers generate.',
  },
  RUN_BUSY: {
    message: (p: { dir: string; pid: number }) => `Process ${p.pid} evaluates into ${p.dir}.`,
    hint: () => 'Wait for it, or evaluate into another folder.',
  },
  PREDICTIONS_INVALID: {
    message: (p: { file: string; line: number; problem: string }) => `Line ${p.line} of ${p.file} ${p.problem}.`,
    hint: () =>
      'Write a JSON object a line: {"id": "dataset/key", "response": "… \\boxed{label}"} or {"id": …, "labels": ["label"]}.',
  },
  PREDICTIONS_UNKNOWN: {
    message: (p: { file: string; count: number; first: string }) =>
      `${p.file} holds predictions for ${p.count} samples that are not evaluated, such as "${p.first}".`,
    hint: () => 'Predict the same dataset and split; `qoq data build` lists the ids of a dataset.',
  },
  PREDICTIONS_MISSING: {
    message: (p: { file: string; count: number; first: string }) =>
      `${p.file} holds no prediction for ${p.count} samples, such as "${p.first}".`,
    hint: () => 'Add them, or say how they count: --missing exclude or --missing wrong.',
  },
  GRADE_TWICE: {
    message: (p: { rater: string; sampleId: string; statement: number }) =>
      `${p.rater} graded statement ${p.statement} of ${p.sampleId} twice.`,
    hint: () => 'Keep one grade of each rater for a statement.',
  },
  TRUTHS_DIFFER: {
    message: (p: { first: string; second: string; sampleId: string }) =>
      `${p.first} and ${p.second} have different true labels for ${p.sampleId}.`,
    hint: () => 'Evaluate both on the same version of the dataset.',
  },
  LABEL_UNKNOWN: {
    message: (p: { file: string; line: number; label: string; labels: readonly string[] }) =>
      `Line ${p.line} of ${p.file} predicts the label "${p.label}", which is not on the list of its dataset.`,
    hint: p => {
      const meant = nearestName(p.label, p.labels)
      return meant === undefined ? `The labels are ${p.labels.join(', ')}.` : `Did you mean "${meant}"?`
    },
  },
})
