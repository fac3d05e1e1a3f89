import { createOrtExecutor, type OrtExecutor } from '@qoq-med/tensor'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSafetensorsSource } from '../src/checkpoint/checkpoint-files.ts'
import { openPth } from '../src/checkpoint/pth-source.ts'
import { writeSafetensors } from '../src/checkpoint/safetensors-writer.ts'
import { writeEcgEmbeddings } from '../src/arrays/write-ecg-embeddings.ts'
import { largestDifference, readCases } from './oracle-cases.ts'
import { missingOracles, oracleFile } from './oracle-folder.ts'

describe.skipIf(missingOracles)(`openPth${missingOracles ? `: ${missingOracles}` : ''}`, () => {
  test('reads the official layout of ECG-JEPA, the same numbers as its safetensors', async () => {
    const pth = await openPth(oracleFile('ecg/ecgjepa_tiny_encoder.pth'))
    const reference = await openSafetensorsSource(oracleFile('ecg/ecgjepa_tiny.safetensors'))
    const wanted = [...reference.tensors.keys()].filter(name => name.startsWith('encoder.'))
    expect([...pth.tensors.keys()].toSorted()).toEqual(wanted.toSorted())
    for (const name of wanted) {
      expect(pth.tensors.get(name)!.shape).toEqual(reference.tensors.get(name)!.shape)
      expect(await pth.readFloat32(name)).toEqual(await reference.readFloat32(name))
    }
    await Promise.all([pth.close(), reference.close()])
  })
})

describe.skipIf(missingOracles)(`writeEcgEmbeddings${missingOracles ? `: ${missingOracles}` : ''}`, () => {
  let root: string
  let executor: OrtExecutor
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'ecg-'))
    executor = await createOrtExecutor()
  })
  afterAll(async () => {
    await executor.close()
    await rm(root, { recursive: true })
  })

  const checkpoint = oracleFile('ecg/ecgjepa_tiny_encoder.pth')

  test.for([
    { name: 'sizes from the tensors', config: undefined },
    {
      name: 'sizes from a config',
      config: { encoder_embed_dim: 32, encoder_depth: 2, encoder_num_heads: 4, c: 8, p: 50, t: 50 },
    },
  ])('gives the official tokens of the official .pth, with $name', async ({ config }) => {
    const forward = await readCases('ecg/ecgjepa_tiny_forward.safetensors')
    const [inputs, out] = [join(root, 'inputs.safetensors'), join(root, 'out.safetensors')]
    await writeSafetensors(inputs, [{ name: 'ecg', shape: forward.shape('x'), data: forward.float32('x') }])
    await writeEcgEmbeddings(executor, { checkpoint, inputs, out, ...(config && { config }) })
    const got = await readCases(out)
    expect(got.shape('ecg_embeds')).toEqual(forward.shape('token_embeddings'))
    expect(largestDifference(got.float32('ecg_embeds'), forward.float32('token_embeddings'))).toBeLessThan(1e-5)
  })

  test('names a weight that does not fit the config', async () => {
    const [inputs, out] = [join(root, 'inputs.safetensors'), join(root, 'none.safetensors')]
    const config = { encoder_embed_dim: 64, encoder_depth: 2, encoder_num_heads: 4 }
    const error = expect.objectContaining({ code: 'MODEL_TENSOR_SHAPE', message: expect.stringContaining('pos_embed') })
    await expect(writeEcgEmbeddings(executor, { checkpoint, config, inputs, out })).rejects.toThrow(error)
  })
})
