import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openSafetensors } from '../src/checkpoint/safetensors-reader.ts'
import { writeSafetensors, type TensorToWrite } from '../src/checkpoint/safetensors-writer.ts'
import { oracleFile } from './oracle-folder.ts'

async function tensorsOf(path: string, rename: (name: string) => string | undefined): Promise<TensorToWrite[]> {
  const file = await openSafetensors(oracleFile(path))
  const tensors: TensorToWrite[] = []
  for (const entry of file.entries) {
    const name = rename(entry.name)
    if (name !== undefined) tensors.push({ name, shape: entry.shape, data: await file.readFloat32(entry) })
  }
  await file.close()
  return tensors
}

/**
 * Makes a folder in the release's format, tiny: the small Qwen2.5-VL with the small ECG-JEPA and the projection of the
 * fixtures under `time_series_embedding.`. Its config is silent about the ECG encoder's sizes, as the release's is.
 */
export async function makeReleaseFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const tensors = [
    ...(await tensorsOf('models/qwen25vl_tiny/model.safetensors', name => name)),
    ...(await tensorsOf('ecg/ecgjepa_tiny.safetensors', name =>
      name.startsWith('encoder.') ? `time_series_embedding.${name}` : undefined,
    )),
    ...(await tensorsOf('ecg/ecg_in_vl.safetensors', name =>
      name.startsWith('projection/') ? `time_series_embedding.linear.${name.slice('projection/'.length)}` : undefined,
    )),
  ]
  await writeSafetensors(join(folder, 'model.safetensors'), tensors)
  const source = oracleFile('models/qwen25vl_tiny')
  const config = JSON.parse(await readFile(join(source, 'config.json'), 'utf8')) as object // our own fixture
  const architectures = ['TimeSeriesQwen2_5_VLForConditionalGeneration']
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, architectures, time_series_token_id: 1346 }))
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja', 'preprocessor_config.json']) {
    await copyFile(join(source, name), join(folder, name))
  }
}
