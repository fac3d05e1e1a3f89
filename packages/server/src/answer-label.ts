import { z } from 'zod'

/** Characters of a label; longer ones are sentences. */
const maxLabelCharacters = 120
/** Labels of a request. */
export const maxLabels = 200

/**
 * A label goes into a box `\boxed{…}`: braces and line ends would close it, blanks at its ends are not told apart, and control
 * characters are nothing that a person sees.
 */
export const Label = z
  .string()
  .min(1)
  .max(maxLabelCharacters)
  .regex(/^(?!\s)[^{}\\\p{Cc}]+(?<!\s)$/u)
