import { z } from 'zod'
import { Label, maxLabels } from '../answer-label.ts'
import { EcgJson } from '../media/ecg-json.ts'

const Text = z.strictObject({ type: z.literal('text'), text: z.string() })

const ImageUrl = z.strictObject({
  type: z.literal('image_url'),
  // Some clients write the URL itself where OpenAI has an object.
  image_url: z.union([z.string(), z.strictObject({ url: z.string(), detail: z.string().nullish() })]),
})

const EcgPart = z.strictObject({ type: z.literal('input_ecg'), input_ecg: EcgJson })

/** A file as OpenAI's clients send it: a picture, DICOM, volume, video or ECG, told by its content. */
const File = z.strictObject({
  type: z.literal('file'),
  file: z.strictObject({ file_data: z.string(), filename: z.string().nullish() }),
})

// The validator then complains about the kind of part that was meant, not about all of them.
const Part = z
  .discriminatedUnion('type', [Text, ImageUrl, EcgPart, File])
  .meta({ discriminator: { propertyName: 'type' } })

/** Nothing: null, an empty list or an empty object, as clients write fields that they do not use. */
const Unused = z.union([z.null(), z.array(z.unknown()).max(0), z.strictObject({})]).optional()

const ChatMessage = z.strictObject({
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content: z.union([z.string(), z.array(Part).min(1)]),
  /** Who speaks; templates know roles alone. */
  name: z.string().nullish(),
  // What an answer of this server, or of OpenAI's, has beside its text: it may come back in the next turn.
  refusal: z.null().optional(),
  annotations: Unused,
  audio: Unused,
  tool_calls: Unused,
  function_call: Unused,
})

/**
 * The body of a chat completion: the part of OpenAI's that this server can do. A field that would change the answer and
 * is not known is refused, never ignored; clients may send null for a field that they leave out.
 */
/** OpenAI's wrapper of a schema. */
const JsonSchema = z.strictObject({
  name: z.string().nullish(),
  description: z.string().nullish(),
  strict: z.boolean().nullish(),
  schema: z.record(z.string(), z.unknown()),
})

export const ChatRequest = z.strictObject({
  model: z.string().nullish(),
  messages: z.array(ChatMessage).min(1),
  n: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  seed: z.int().min(0).nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(16)]).nullish(),
  tools: Unused,
  functions: Unused,
  logit_bias: Unused,
  tool_choice: z.enum(['none', 'auto']).nullish(),
  function_call: z.enum(['none', 'auto']).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  modalities: z.tuple([z.literal('text')]).nullish(),
  service_tier: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .strictObject({ include_usage: z.boolean().nullish(), include_obfuscation: z.boolean().nullish() })
    .nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  // Fields of OpenAI's that change nothing at these values.
  frequency_penalty: z.literal(0).nullish(),
  presence_penalty: z.literal(0).nullish(),
  response_format: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text') }),
      z.strictObject({ type: z.literal('json_schema'), json_schema: JsonSchema }),
    ])
    .nullish(),
  /** Ours: the labels that the answer is held to, after its reasoning. */
  labels: z.array(Label).min(1).max(maxLabels).nullish(),
  user: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  store: z.boolean().nullish(),
})

/** A checked body. */
export type ChatRequest = z.infer<typeof ChatRequest>

/** A part of a message in a checked body. */
export type ChatPart = z.infer<typeof Part>
