/** A model that the project is about, and what it takes here. */
export interface KnownModel {
  /** As `qoq model pull` takes it, or in words where there are many. */
  readonly name: string
  /** Most memory that answering takes in billions of bytes, with 2,048 tokens of context, by `--weights`. */
  readonly memoryGb: Readonly<Record<string, number>>
  readonly works: readonly ('text' | 'picture' | 'ECG')[]
  readonly licence: string
  /** Whether these very weights were tried here, or folders in their shapes alone. */
  readonly tried: 'seen' | 'not seen'
}

const of3b = { int4: 3.7, int8: 5.6, bfloat16: 9 }
const of7b = { int4: 6.7, int8: 11, bfloat16: 17.7 }
const of32b = { int4: 24.8, int8: 47, bfloat16: 70.1 }

/** Models that work here; memory as `qoq model info` plans it of folders in their shapes. */
export const knownModels: readonly KnownModel[] = [
  {
    name: 'ddvd233/QoQ-Med-VL-7B',
    memoryGb: of7b,
    works: ['text', 'picture'],
    licence: 'see its page',
    tried: 'not seen',
  },
  {
    name: 'ddvd233/QoQ-Med-VL-32B',
    memoryGb: of32b,
    works: ['text', 'picture'],
    licence: 'see its page',
    tried: 'not seen',
  },
  {
    name: 'GGUF builds of QoQ-Med-VL-7B',
    memoryGb: { stored: 8 },
    works: ['text', 'picture'],
    licence: 'see their pages',
    tried: 'not seen',
  },
  {
    name: 'Qwen/Qwen2.5-VL-3B-Instruct',
    memoryGb: of3b,
    works: ['text', 'picture'],
    licence: 'Qwen Research',
    tried: 'not seen',
  },
  {
    name: 'Qwen/Qwen2.5-VL-7B-Instruct',
    memoryGb: of7b,
    works: ['text', 'picture'],
    licence: 'Apache-2.0',
    tried: 'not seen',
  },
  {
    name: 'a base above with an ECG encoder (qoq model compose)',
    memoryGb: of7b,
    works: ['text', 'picture', 'ECG'],
    licence: 'those of its parts',
    tried: 'not seen',
  },
  {
    name: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    memoryGb: { float32: 1.5 },
    works: ['text'],
    licence: 'Apache-2.0',
    tried: 'seen',
  },
]

/** The table of known models for people, its heading first. */
export function knownModelRows(): readonly (readonly string[])[] {
  const rows = knownModels.map(({ name, memoryGb, works, licence, tried }) => [
    name,
    Object.entries(memoryGb)
      .map(([weights, size]) => `${weights} ${size}`)
      .join(', '),
    works.join(', '),
    licence,
    tried,
  ])
  return [['model', 'memory in GB by --weights', 'answers about', 'licence', 'tried'], ...rows]
}
