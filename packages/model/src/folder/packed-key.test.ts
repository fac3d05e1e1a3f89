import { expect, test } from 'vitest'
import { testModel } from '../composition/nano.testing.ts'
import { packedLayout, type PackedForm } from '../packed/packed-layout.ts'
import { packedKey } from './packed-key.ts'

test('a key is of the whole layout: blocks of another size are other files', async () => {
  const { model } = testModel()
  const keyOf = (form: PackedForm): Promise<string> => {
    const layout = packedLayout([{ name: 'a.weight', shape: [4, 256] }], new Map(), () => form)
    const nothing = packedLayout([], new Map(), () => form)
    return packedKey({ files: [], stored: new Map(), model }, 'int4', { decoder: layout, encoders: nothing })
  }
  const keys = await Promise.all(
    ([{ kind: 'int4' }, { kind: 'int4', blockSize: 64 }, { kind: 'int4', blockSize: 128 }] as const).map(keyOf),
  )
  expect(new Set(keys).size).toBe(3)
  expect(await keyOf({ kind: 'int4', blockSize: 64 })).toBe(keys[1])
})
