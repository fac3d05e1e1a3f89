import path from 'node:path'
import type { EcgRecording, PresentedMedia, PresentMediaOptions } from '@qoq-med/data-climb'
import type { ContentPart, Message } from '@qoq-med/model'
import { z } from 'zod'
import { type CommandInput, readInputFile } from './command-input.ts'
import { atPlace } from './error-place.ts'
import { requireFile } from './output-file.ts'

/** Seconds of an ECG that the model looks at; longer recordings are cut. */
const ecgSeconds = 10

const Part = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  z.strictObject({ type: z.literal('image'), image: z.string().min(1) }),
  z.strictObject({ type: z.literal('video'), video: z.array(z.string().min(1)).min(1) }),
  z.strictObject({ type: z.literal('ecg'), ecg: z.string().min(1) }),
])

/** A messages file: roles with texts, or with parts whose media are paths. */
export const MessagesFile = z
  .array(
    z.strictObject({
      role: z.enum(['system', 'user', 'assistant']),
      content: z.union([z.string(), z.array(Part)], { error: 'must be a text or a list of parts' }),
    }),
  )
  .min(1)

/** Reads the media that messages name. @throws CLI_FILE_MISSING, CLI_FILE_UNREADABLE, and the readers' own errors */
export async function readMessages(messages: z.output<typeof MessagesFile>, input: CommandInput): Promise<Message[]> {
  return Promise.all(
    messages.map(async ({ role, content }) => ({
      role,
      content: typeof content === 'string' ? content : await readParts(content, input),
    })),
  )
}

/**
 * Reads a picture, DICOM file, volume or video as training and evaluation do.
 *
 * @throws CLI_FILE_MISSING, CLI_FILE_UNREADABLE, and the readers' own errors
 */
export async function presentFile(
  file: string,
  input: Pick<CommandInput, 'resolve'>,
  options: PresentMediaOptions = {},
): Promise<PresentedMedia> {
  const { presentMedia } = await import('@qoq-med/data-climb')
  await requireFile(input.resolve(file), 'image')
  return atPlace(`The image ${file}`, () => presentMedia(input.resolve(file), options))
}

/**
 * Reads an ECG of any format that `readEcg` knows; of a WFDB record the header, the signal file or the name without suffix is given.
 *
 * @throws CLI_FILE_MISSING, and the readers' own errors
 */
export async function readEcgFile(file: string, input: Pick<CommandInput, 'resolve'>): Promise<EcgRecording> {
  const { readEcg } = await import('@qoq-med/data-climb')
  const named = input.resolve(path.extname(file) === '' ? `${file}.hea` : file.replace(/\.(dat|mat)$/i, '.hea'))
  await readInputFile(named, 'ECG')
  return atPlace(`The ECG ${file}`, async () => readEcg(named, { maxSeconds: ecgSeconds }))
}

async function readParts(parts: readonly z.output<typeof Part>[], input: CommandInput): Promise<ContentPart[]> {
  return (await Promise.all(parts.map(part => readPart(part, input)))).flat()
}

async function readPart(part: z.output<typeof Part>, input: CommandInput): Promise<ContentPart[]> {
  const { mediaParts } = await import('@qoq-med/data-climb')
  if (part.type === 'image') return mediaParts(await presentFile(part.image, input))
  if (part.type === 'ecg') return [{ type: 'ecg', ecg: await readEcgFile(part.ecg, input) }]
  if (part.type === 'text') return [part]
  const frames = await Promise.all(part.video.map(frame => presentFile(frame, input)))
  return [{ type: 'video', frames: frames.flatMap(({ pictures }) => pictures) }]
}
