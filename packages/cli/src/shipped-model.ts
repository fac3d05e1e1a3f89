import type { CommandInput } from './command-input.ts'
import type { CommandOutput } from './command-output.ts'
import { modelFolder } from './model-folder.ts'

/** The argument of a command that answers with the model that ships where none is named. */
export const optionalModel = {
  type: 'string',
  value: 'DIR',
  description:
    'model folder, GGUF file, run folder, or OWNER/NAME of what was pulled; default: a small model trained on simulated patients',
} as const

/**
 * The folder of the model that a command was given, or of the one that ships with the project, which is said.
 *
 * @throws as `modelFolder`
 */
export async function answeringModel(
  given: string | undefined,
  input: CommandInput,
  output: CommandOutput,
): Promise<string> {
  if (given !== undefined) return modelFolder(given, input)
  const { nanoPolicy } = await import('@qoq-med/nano')
  output.note(`No --model: ${nanoPolicy.name} answers, ${nanoPolicy.about}.`)
  return nanoPolicy.folder
}

/** A question's labels, and whether several may apply. */
export interface OfferedLabels {
  readonly label: readonly string[]
  readonly multi: boolean
}

/**
 * The labels of a question: those that were given, or, where the shipped model reads an ECG and none was given, the ones it was
 * trained to choose from. A picture does not say which of nine kinds it is, so for one they have to be given.
 */
export async function offeredLabels(
  { model, label, multi }: OfferedLabels & { readonly model: string | undefined },
  { pictures, parts }: { readonly pictures: readonly unknown[]; readonly parts: readonly unknown[] },
  output: CommandOutput,
): Promise<OfferedLabels> {
  if (model !== undefined || label.length > 0 || pictures.length > 0 || parts.length === 0) return { label, multi }
  const { findDataset } = await import('@qoq-med/data-climb')
  const { labels } = findDataset('mini_clinic_ecg')
  output.note(`No --label: it chooses among ${labels.join(', ')}.`)
  return { label: labels, multi: true }
}
