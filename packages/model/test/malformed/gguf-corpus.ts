import { ggufMetadata, tensorsOfFixture } from '../../src/checkpoint/gguf-model.testing.ts'
import { ggufBytes, type GgufValueToWrite } from '../../src/checkpoint/gguf.testing.ts'
import { hugeCounts, overwritten, truncations, uint64, type MalformedFile } from './malformed-file.ts'

const data = new Uint8Array(64 * 34)
const tensors = ['first', 'second', 'third'].map(name => ({ name, shape: [64, 32], type: 8, data }))
const whole = ggufBytes({ key: 'value', list: ['a', 'b'], count: 3 }, tensors)

/** Where a tensor's row of the header has its number of axes, its sides, its type and its offset. */
function rowOf(name: string): { axes: number; sides: number; type: number; offset: number } {
  const axes = whole.indexOf(name) + name.length
  return { axes, sides: axes + 4, type: axes + 20, offset: axes + 24 }
}

/** Metadata of a whole small model, changed in one place. */
const changes: Readonly<Record<string, Readonly<Record<string, GgufValueToWrite>>>> = {
  'another architecture': { 'general.architecture': 'mamba' },
  'an architecture of a prototype': { 'general.architecture': '__proto__' },
  'no layers': { 'qwen2.block_count': 0 },
  'more layers than tensors': { 'qwen2.block_count': 4 },
  'fewer layers than tensors': { 'qwen2.block_count': 1 },
  'four billion layers': { 'qwen2.block_count': 0xffffffff },
  'a text for a size': { 'qwen2.embedding_length': 'wide' },
  'a width of another model': { 'qwen2.embedding_length': 64 },
  'a huge width': { 'qwen2.embedding_length': 0xfffffff0 },
  'a fraction of a layer': { 'qwen2.block_count': { float: 2.5 } },
  'a width that is not a number': { 'qwen2.embedding_length': { float: NaN } },
  'heads that do not divide': { 'qwen2.attention.head_count': 7 },
  'no heads': { 'qwen2.attention.head_count': 0 },
  'key heads that do not divide': { 'qwen2.attention.head_count_kv': 2 },
  'another feed-forward width': { 'qwen2.feed_forward_length': 89 },
  'a context of zero': { 'qwen2.context_length': 0 },
  'stretched positions': { 'qwen2.rope.scaling.type': 'yarn' },
  'an odd alignment': { 'general.alignment': 33 },
  'an alignment of zero': { 'general.alignment': 0 },
  'a huge alignment': { 'general.alignment': 0x80000000 },
  'an alignment that is a text': { 'general.alignment': '32' },
  'a unigram tokenizer': { 'tokenizer.ggml.model': 'llama' },
  'an unknown pre-tokenizer': { 'tokenizer.ggml.pre': 'new' },
  'tokens that are numbers': { 'tokenizer.ggml.tokens': [1, 2, 3, 4] },
  'tokens that are a text': { 'tokenizer.ggml.tokens': 'ab' },
  'merges of one side': { 'tokenizer.ggml.merges': ['ab'] },
  'merges that are numbers': { 'tokenizer.ggml.merges': [1] },
  'kinds that are texts': { 'tokenizer.ggml.token_type': ['3', '1', '1', '1'] },
}

/** GGUF files that are not what they claim. */
export async function ggufCorpus(): Promise<MalformedFile[]> {
  const model = await tensorsOfFixture()
  const [first, second] = [rowOf('first'), rowOf('second')]
  const valueType = whole.indexOf('key') + 3
  const listType = whole.indexOf('list') + 4
  const at = (name: string, place: number, bytes: Uint8Array | readonly number[]): MalformedFile => ({
    name,
    bytes: overwritten(whole, place, bytes),
  })
  return [
    ...truncations(whole, 24),
    at('another format', 0, [0x47, 0x47, 0x4d, 0x4c]),
    ...[0, 1, 4, 255].map(version => at(`version ${version}`, 4, [version])),
    ...hugeCounts.map(count => at(`${count} tensors`, 8, uint64(count))),
    ...hugeCounts.map(count => at(`${count} values`, 16, uint64(count))),
    ...hugeCounts.map(count => at(`a key of ${count} bytes`, 24, uint64(count))),
    ...hugeCounts.map(count => at(`a text of ${count} bytes`, valueType + 4, uint64(count))),
    ...hugeCounts.map(count => at(`a list of ${count}`, listType + 8, uint64(count))),
    ...[9, 13, 255].map(type => at(`values of type ${type}`, valueType, [type])),
    ...[13, 99].map(type => at(`a list of type ${type}`, listType + 4, [type])),
    at('a key that is no UTF-8', 32, [0xff]),
    ...[0, 5, 255].map(axes => at(`${axes} axes`, first.axes, [axes])),
    ...hugeCounts.map(count => at(`a side of ${count}`, first.sides, uint64(count))),
    at('a side that is no whole number of blocks', first.sides, uint64(33n)),
    ...[4, 5, 7, 31, 255].map(type => at(`the element type ${type}`, first.type, [type])),
    at('a larger element type', first.type, [0]),
    ...hugeCounts.map(count => at(`an offset of ${count}`, second.offset, uint64(count))),
    at('an offset inside another tensor', second.offset, uint64(32n)),
    at('the offset of another tensor', second.offset, uint64(0n)),
    { name: 'a tensor twice', bytes: ggufBytes({}, [tensors[0]!, tensors[0]!]) },
    { name: 'a key twice', bytes: twice() },
    ...Object.entries(changes).map(([name, change]) => ({
      name,
      bytes: ggufBytes({ ...ggufMetadata, ...change }, model.tensors),
    })),
    ...['token_embd.weight', 'blk.1.ffn_up.weight', 'output_norm.weight', 'blk.2.attn_q.bias'].map(name => ({
      name: `no ${name}`,
      bytes: ggufBytes(
        ggufMetadata,
        model.tensors.filter(tensor => tensor.name !== name),
      ),
    })),
    ...['general.architecture', 'qwen2.block_count', 'qwen2.attention.head_count', 'tokenizer.ggml.tokens'].map(
      key => ({
        name: `no ${key}`,
        bytes: ggufBytes(
          Object.fromEntries(Object.entries(ggufMetadata).filter(([each]) => each !== key)),
          model.tensors,
        ),
      }),
    ),
  ]
}

/** Two keys of one length, the second renamed to the first. */
function twice(): Buffer {
  const file = ggufBytes({ kay: 'value', key: 'value' }, tensors)
  return overwritten(file, file.indexOf('key'), Buffer.from('kay'))
}
