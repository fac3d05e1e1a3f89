import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openModel } from '../src/index.ts'

const fixtures = join(import.meta.dirname, '../fixtures')
let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'qoq-foreign-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

/** A copy of a model folder with some files replaced (text) or removed (undefined). */
async function folderWith(
  name: string,
  from: 'qwen2_text_sharded_bf16' | 'qwen25vl_tiny_hub_sharded_bf16',
  files: Readonly<Record<string, unknown>>,
): Promise<string> {
  const folder = join(root, name)
  await cp(join(fixtures, from), folder, { recursive: true })
  for (const [file, content] of Object.entries(files)) {
    if (content === undefined) await rm(join(folder, file), { force: true })
    else await writeFile(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return folder
}

/** The prompt that a folder makes of messages, as text. */
async function promptOf(folder: string, content: string): Promise<string> {
  const opened = await openModel(folder)
  await opened.close()
  const { model } = opened
  return model.tokenizer.decode(model.encode([{ role: 'user', content }]).tokenIds)
}

const template = (mark: string): string =>
  `${mark}{{ bos_token }}{% for m in messages %}<|im_start|>{{ m['role'] }} {{ m['content'] }}{{ eos_token }}{% endfor %}`
const tokenizerConfig = { tokenizer_class: 'PreTrainedTokenizerFast', eos_token: '<|im_end|>' }

describe('the prompt of a folder that another tool wrote', () => {
  const noFile = { 'chat_template.jinja': undefined, 'chat_template.json': undefined }

  test.for([
    {
      name: 'a list of named templates',
      config: {
        ...tokenizerConfig,
        chat_template: [
          { name: 'tool_use', template: 'TOOLS' },
          { name: 'default', template: template('own ') },
        ],
      },
      want: 'own <|im_start|>user one<|im_end|>',
    },
    {
      name: 'a list of one',
      config: { ...tokenizerConfig, chat_template: [{ name: 'rag', template: template('') }] },
      want: '<|im_start|>user one<|im_end|>',
    },
    {
      name: 'tokens as objects, and one at the start',
      config: {
        eos_token: { content: '<|im_end|>', special: true },
        bos_token: '<|endoftext|>',
        chat_template: template(''),
      },
      want: '<|endoftext|><|im_start|>user one<|im_end|>',
    },
  ])('has $name', async ({ name, config, want }) => {
    const folder = await folderWith(name, 'qwen2_text_sharded_bf16', { ...noFile, 'tokenizer_config.json': config })
    expect(await promptOf(folder, 'one')).toBe(want)
  })

  test('is refused where none of several templates is the default', async () => {
    const config = {
      chat_template: [
        { name: 'a', template: 'A' },
        { name: 'b', template: 'B' },
      ],
    }
    const folder = await folderWith('none', 'qwen2_text_sharded_bf16', { ...noFile, 'tokenizer_config.json': config })
    await expect(openModel(folder)).rejects.toMatchObject({
      code: 'MODEL_FOLDER_INVALID',
      message: expect.stringContaining('the chat templates a, b'),
    })
  })
})

test('the end of an answer is that of tokenizer_config.json where no other file names one', async () => {
  const config = JSON.parse(await readFile(join(fixtures, 'qwen2_text_sharded_bf16/config.json'), 'utf8'))
  const { eos_token_id: _, ...silent } = config
  const folder = await folderWith('eos', 'qwen2_text_sharded_bf16', {
    'config.json': silent,
    'generation_config.json': undefined,
    'tokenizer_config.json': tokenizerConfig,
  })
  const opened = await openModel(folder)
  await opened.close()
  const { model } = opened
  expect([...model.endTokenIds]).toEqual([model.tokenizer.idOf('<|im_end|>')])
})

test('limits of pictures are those of processor_config.json where it is the only file', async () => {
  const from = 'qwen25vl_tiny_hub_sharded_bf16'
  const preprocessor = JSON.parse(await readFile(join(fixtures, from, 'preprocessor_config.json'), 'utf8'))
  const own = await openModel(join(fixtures, from))
  await own.close()
  const folder = await folderWith('processor', from, {
    'preprocessor_config.json': undefined,
    'processor_config.json': { image_processor: preprocessor, processor_class: 'Qwen2_5_VLProcessor' },
  })
  const opened = await openModel(folder)
  await opened.close()
  const { model } = opened
  expect(model.imageProcessor).toEqual(own.model.imageProcessor)
  expect(model.imageProcessor.maxPixels).toBe(preprocessor.max_pixels ?? preprocessor.size.longest_edge)
})

test('a byte order mark before config.json is passed over', async () => {
  const config = await readFile(join(fixtures, 'qwen2_text_sharded_bf16/config.json'), 'utf8')
  const opened = await openModel(
    await folderWith('mark', 'qwen2_text_sharded_bf16', { 'config.json': `\uFEFF${config}` }),
  )
  await opened.close()
  const { model } = opened
  expect(model.config.decoder.hiddenSize).toBe(JSON.parse(config).hidden_size)
})
