import { HintedError } from './hinted-error.ts'

/** One row of an error table: how its values become a sentence and a hint. */
export interface ErrorRow<Values> {
  /** Says what happened, with the values; a full sentence without patient data. */
  readonly message: (values: Values) => string
  /** Says what to do next. */
  readonly hint: (values: Values) => string
  /** The HTTP status of a request that ends with it, where that is not its package's: 400 for bad input, 500 otherwise. */
  readonly status?: number
}

/** A function per row that makes the row's error; `cause` is kept when the error wraps another. */
export type ErrorFactories<Values> = {
  readonly [Code in keyof Values]: (values: Values[Code], options?: { cause?: unknown }) => HintedError
}

/**
 * Turns a table of errors into functions that make them.
 *
 * @param prefix the package's word; the row `LEAD_MISSING` of `DATA` has the code `DATA_LEAD_MISSING`
 * @param rows one row per code; codes never change once released
 * @example
 * const dataErrors = defineErrors('DATA', {
 *   LEAD_MISSING: { message: (p: { lead: string }) => `There is no lead ${p.lead}.`, hint: () => 'Choose another lead.' },
 * })
 * throw dataErrors.LEAD_MISSING({ lead: 'V7' })
 */
export function defineErrors<Values extends Record<string, unknown>>(
  prefix: string,
  rows: { readonly [Code in keyof Values]: ErrorRow<Values[Code]> },
): ErrorFactories<Values> {
  const factories = Object.entries<ErrorRow<never>>(rows).map(([name, row]) => [
    name,
    (values: never, options?: { cause?: unknown }) =>
      new HintedError(`${prefix}_${name}`, row.message(values), row.hint(values), { ...options, status: row.status }),
  ])
  return Object.fromEntries(factories) as ErrorFactories<Values> // built from the same keys
}
