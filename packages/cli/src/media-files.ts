import type { EcgRecording, RgbImage } from '@qoq-med/data-climb'
import type { ContentPart, Message } from '@qoq-med/model'
import { z } from 'zod'
import { type CommandInput, readInputFile } from './command-input.ts'
import { atPlace } from './error-place.ts'

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
      content: typeof content === 'string' ? content : await Promise.all(content.map(part => readPart(part, input))),
    })),
  )
}

/** Reads a picture in 8-bit RGB. @throws CLI_FILE_MISSING, CLI_FILE_UNREADABLE, DATA_IMAGE_UNREADABLE, DATA_IMAGE_TOO_LARGE */
export async function readImageFile(file: string, input: Pick<CommandInput, 'resolve'>): Promise<RgbImage> {
  const { decodeImage } = await import('@qoq-med/data-climb')
  const bytes = await readInputFile(input.resolve(file), 'image')
  return atPlace(`The image ${file}`, () => decodeImage(bytes))
}

/** Reads a WFDB record as an ECG. @throws CLI_FILE_MISSING, and the errors of the WFDB reader and of `ecgRecording` */
export async function readEcgFile(file: string, input: Pick<CommandInput, 'resolve'>): Promise<EcgRecording> {
  const { ecgRecording, readWfdb } = await import('@qoq-med/data-climb')
  const header = input.resolve(file.replace(/\.(dat|mat)$/, '.hea').replace(/(\.hea)?$/, '.hea'))
  await readInputFile(header, 'ECG header')
  return atPlace(`The ECG ${file}`, async () => ecgRecording(await readWfdb(header), { maxSeconds: ecgSeconds }))
}

async function readPart(part: z.output<typeof Part>, input: CommandInput): Promise<ContentPart> {
  if (part.type === 'image') return { type: 'image', image: await readImageFile(part.image, input) }
  if (part.type === 'ecg') return { type: 'ecg', ecg: await readEcgFile(part.ecg, input) }
  if (part.type === 'text') return part
  return { type: 'video', frames: await Promise.all(part.video.map(frame => readImageFile(frame, input))) }
}
