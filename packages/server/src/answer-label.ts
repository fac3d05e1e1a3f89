import { z } from 'zod'

/** Characters of a label; longer ones are sentences. */
const maxLabelCharacters = 120
/** Labels of a request. */
export const maxLabels = 200

/** A label goes into a box `\boxed{…}`: braces and line ends would close it. */
export const Label = z
  .string()
  .min(1)
  .max(maxLabelCharacters)
  .regex(/^[^{}\r\n\\]+$/)
