import { defineErrors, nearestName } from '@qoq-med/errors'

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
})
