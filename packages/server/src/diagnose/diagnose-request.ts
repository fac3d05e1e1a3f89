import { z } from 'zod'
import { Label, maxLabels } from '../answer-label.ts'
import { EcgJson } from '../media/ecg-json.ts'

/** The body of a diagnosis, beside files that come as parts of a form. */
export const DiagnoseRequest = z.strictObject({
  model: z.string().nullish(),
  /** Pictures, DICOM files, volumes, videos and ECG files, in base64 or as data URLs; to ask for a length would count all their characters. */
  files: z.array(z.strictObject({ name: z.string().max(255).nullish(), data: z.string() })).nullish(),
  ecgs: z.array(EcgJson).nullish(),
  /** What is known beside the files, such as age and complaints. */
  text: z.string().nullish(),
  question: z.string().min(1).nullish(),
  /** The labels to choose from; or `dataset`, whose labels, question and window are taken. */
  labels: z.array(Label).min(1).max(maxLabels).nullish(),
  dataset: z.string().nullish(),
  answer_mode: z.enum(['single', 'multi']).nullish(),
  /** `center/width` such as `40/400`, a preset (`lung`, `bone`), `file` or `range`. */
  window: z.string().max(64).nullish(),
  /** Whether every label gets a probability. */
  probabilities: z.boolean().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  seed: z.int().min(0).nullish(),
  max_tokens: z.int().min(1).nullish(),
  /** Documents that the answer holds beside its own fields: `fhir`, a bundle; `dicom_sr`, a report in base64, of DICOM pictures. */
  include: z
    .array(z.enum(['fhir', 'dicom_sr']))
    .max(2)
    .nullish(),
  /** Sends the answer as it is written, as server-sent events; the last one is the whole document. */
  stream: z.boolean().nullish(),
})

/** A checked body. */
export type DiagnoseRequest = z.infer<typeof DiagnoseRequest>
