import { describe, expect, test } from 'vitest'
import type { DocumentName } from '../checkpoint/model-documents.ts'
import { templateConfig } from './template-config.ts'

const configOf = (fields: object, file: DocumentName = 'tokenizer_config.json') =>
  templateConfig(new Map([[file, JSON.stringify(fields)]]), 'folder')
const good = { chat_template: '{{ bos_token }}hello', bos_token: '<s>', eos_token: { content: '</s>' } }

describe('templateConfig', () => {
  test.for([{}, { pad_token: false }, { unk_token: 0 }, { mask_token: { id: 3 } }, { cls_token: null }])(
    'keeps the template and the other tokens beside %j',
    other => {
      expect(configOf({ ...good, ...other })).toEqual({
        chatTemplate: good.chat_template,
        tokens: { bos_token: '<s>', eos_token: '</s>' },
      })
    },
  )

  test.for<{ template: unknown; file: DocumentName }>([
    { template: 5, file: 'tokenizer_config.json' },
    { template: false, file: 'chat_template.json' },
    { template: [{ name: 'default' }], file: 'tokenizer_config.json' },
    { template: { default: ['a'] }, file: 'chat_template.json' },
  ])('refuses the template $template rather than another in its place', ({ template, file }) => {
    expect(() => configOf({ chat_template: template }, file)).toThrow(
      expect.objectContaining({ code: 'MODEL_FOLDER_INVALID', message: expect.stringContaining(file) }),
    )
  })

  test('has no template where none is written', () => {
    expect(configOf({ chat_template: null }).chatTemplate).toBeUndefined()
  })
})
