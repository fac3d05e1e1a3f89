import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MalformedFile } from './malformed-file.ts'

type Json = Record<string, unknown>

/** Texts that are no JSON, or no object of it, whatever the document. */
const broken: Readonly<Record<string, string>> = {
  empty: '',
  'a list': '[]',
  'a number': '1',
  'a text': '"a"',
  null: 'null',
  'an open object': '{"model_type":',
  'a trailing comma': '{"a":1,}',
  'a comment': '{} // really',
  'two objects': '{}{}',
  'an unquoted key': '{a:1}',
  'a not-a-number': '{"a":NaN}',
  'a depth of 100,000': `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
}
const sizes: readonly unknown[] = [0, -1, 1.5, 1e300, 2 ** 53, '48', null, [], {}, true]
const sizeFields = ['hidden_size', 'num_hidden_layers', 'num_attention_heads', 'vocab_size'] as const
const configChanges: Readonly<Record<string, Json>> = {
  'an unknown family': { model_type: 'mamba' },
  'a family of the prototype': { model_type: 'toString' },
  'a family that is a number': { model_type: 2 },
  'another activation': { hidden_act: 'gelu' },
  'sliding windows': { use_sliding_window: true },
  'stretched positions': { rope_parameters: { rope_type: 'yarn', factor: 4 } },
  'positions that are a text': { rope_parameters: 'default' },
  'sections that do not sum': { rope_parameters: { mrope_section: [1, 1, 1] } },
  'sections of two': { rope_parameters: { mrope_section: [4, 4] } },
  'heads that do not divide': { num_key_value_heads: 2 },
  'an odd head': { head_dim: 15 },
  'a fraction of a head': { num_attention_heads: 7 },
  'another width': { hidden_size: 64, head_dim: 16 },
  'another feed-forward width': { intermediate_size: 89 },
  'another vocabulary': { vocab_size: 1377 },
  'a layer more': { num_hidden_layers: 4 },
  'a layer less': { num_hidden_layers: 2 },
  'a thousand layers': { num_hidden_layers: 1000 },
  'no bias': { model_type: 'llama' },
  'a vision tower of another width': { model_type: 'qwen2_5_vl' },
  'a vision tower of a million blocks': {
    model_type: 'qwen2_5_vl',
    vision_config: { depth: 1_000_000, out_hidden_size: 48 },
  },
  'a vision tower that is a list': { model_type: 'qwen2_5_vl', vision_config: [] },
  'an ECG encoder of a million blocks': { ecg_config: { encoder_depth: 1_000_000 } },
  'an ECG encoder of a million patches': { ecg_config: { p: 1_000_000, encoder_embed_dim: 1_000_000 } },
  'an ECG encoder of another kind of positions': { ecg_config: { pos_type: 'rope' } },
  'an ECG of half a token': { ecg_config: { tokens: 0.5 } },
  'an ECG encoder that is not there': { architectures: ['TimeSeriesQwen2_5_VLForConditionalGeneration'] },
  'an end token that is a text': { eos_token_id: 'end' },
  'a negative end token': { eos_token_id: -1 },
  'a tie that is a text': { tie_word_embeddings: 'no' },
}
const indexChanges: Readonly<Record<string, unknown>> = {
  'no map': { weight_map: undefined },
  'a map that is a list': { weight_map: [] },
  'a shard that is a number': { weight_map: { a: 1 } },
  'a shard outside': { weight_map: { a: '../model-00001-of-00002.safetensors' } },
  'a shard by its whole path': { weight_map: { a: '/etc/passwd' } },
  'a shard by a whole path of the right kind': { weight_map: { a: '/tmp/model.safetensors' } },
  'a shard with a zero': { weight_map: { a: 'model\u0000.safetensors' } },
  'a shard of another kind': { weight_map: { a: 'config.json' } },
  'a shard that is missing': { weight_map: { a: 'model-00003-of-00002.safetensors' } },
  'a tensor that no shard has': { weight_map: { a: 'model-00001-of-00002.safetensors' } },
  'no tensors': { weight_map: {} },
}
const tokenizerChanges: Readonly<Record<string, Json>> = {
  'no model': { model: undefined },
  'a unigram model': { model: { type: 'Unigram', vocab: [['a', 0]] } },
  'a vocabulary that is a list': { model: { type: 'BPE', vocab: ['a'], merges: [] } },
  'negative ids': { model: { type: 'BPE', vocab: { a: -1 }, merges: [] } },
  'ids that are texts': { model: { type: 'BPE', vocab: { a: '0' }, merges: [] } },
  'an id of two billion': { model: { type: 'BPE', vocab: { a: 2 ** 31 }, merges: [] } },
  'an id beyond 2^53': { model: { type: 'BPE', vocab: { a: 1e300 }, merges: [] } },
  'merges that are numbers': { model: { type: 'BPE', vocab: { a: 0 }, merges: [1] } },
  'merges of three': { model: { type: 'BPE', vocab: { a: 0 }, merges: [['a', 'b', 'c']] } },
  'added tokens that are a text': { added_tokens: '<|im_end|>' },
  'an added token without a text': { added_tokens: [{ id: 1 }] },
  'an added token of two billion': { added_tokens: [{ id: 2 ** 31, content: 'x' }] },
  'an added empty token': { added_tokens: [{ id: 1, content: '' }] },
}
const generationChanges: readonly Json[] = [
  { temperature: 'hot' },
  { temperature: -1 },
  { top_k: 1.5 },
  { top_p: 2 },
  { top_p: 0 },
  { repetition_penalty: 0 },
  { eos_token_id: 'end' },
  { eos_token_id: [-1] },
  { do_sample: 'yes' },
]
const preprocessorChanges: readonly Json[] = [
  { patch_size: 0 },
  { patch_size: 1e9 },
  { patch_size: '14' },
  { merge_size: -2 },
  { image_mean: [0.5] },
  { image_std: 'unit' },
  { min_pixels: -1 },
  { max_pixels: 'all' },
  { size: 'large' },
]

/** A damaged document of a model folder; the other files of the folder are whole. */
export interface MalformedDocument extends MalformedFile {
  readonly document: string
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function documentsOf(document: string, cases: Readonly<Record<string, unknown>>): MalformedDocument[] {
  return Object.entries(cases).map(([name, value]) => ({
    document,
    name: `${document}: ${name}`,
    bytes: Buffer.from(textOf(value)),
  }))
}

function changed(base: Json, changes: Readonly<Record<string, unknown>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(changes).map(([name, change]) => [name, { ...base, ...(change as Json) }])) // objects all
}

function byText(changes: readonly Json[]): Record<string, Json> {
  return Object.fromEntries(changes.map(change => [JSON.stringify(change), change]))
}

/** The first key of an object once more. */
function twice(text: string): string {
  const key = /"[^"]+":/.exec(text)![0]
  return text.replace('{', `{${key} "other",`)
}

/** Documents of a model folder that are damaged or forged. @param folder a whole one */
export async function jsonCorpus(folder: string): Promise<MalformedDocument[]> {
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8')
  const [config, index, tokenizer] = await Promise.all(
    ['config.json', 'model.safetensors.index.json', 'tokenizer.json'].map(read),
  )
  const base = JSON.parse(config!) as Json // our own fixture
  const sized = sizeFields.flatMap(field =>
    sizes.map(size => [`${field} ${JSON.stringify(size)}`, { [field]: size }] as const),
  )
  return [
    ...documentsOf('config.json', { ...broken, 'a key twice': twice(config!), 'an empty object': {} }),
    ...documentsOf('config.json', changed(base, { ...configChanges, ...Object.fromEntries(sized) })),
    ...documentsOf('model.safetensors.index.json', {
      ...broken,
      'a key twice': twice(index!),
      ...changed(JSON.parse(index!) as Json, indexChanges),
    }),
    ...documentsOf('tokenizer.json', {
      ...broken,
      'a key twice': twice(tokenizer!),
      ...changed(JSON.parse(tokenizer!) as Json, tokenizerChanges),
    }),
    ...documentsOf('generation_config.json', { ...broken, ...byText(generationChanges) }),
    ...documentsOf('preprocessor_config.json', { ...broken, ...byText(preprocessorChanges) }),
  ]
}
