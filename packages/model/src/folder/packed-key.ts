import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { arch, cpus } from 'node:os'
import type { OpenModel } from './open-model.ts'
import type { PackedType, PackedParts } from '../packed/packed-parts.ts'

/** Changes whenever the same checkpoint is packed otherwise than before. */
const packingVersion = 3

/**
 * The key of a packed model: a hash of what the checkpoint's headers say, the sizes and times of its files, the layout, and the
 * processor, whose kernels decide how the runtime lays weights out.
 */
export async function packedKey(
  { files, stored, model }: Pick<OpenModel, 'files' | 'stored' | 'model'>,
  type: PackedType,
  { decoder, encoders }: PackedParts,
): Promise<string> {
  const stats = await Promise.all(files.map(file => stat(file)))
  const content = {
    packingVersion,
    type,
    processor: [arch(), cpus()[0]?.model],
    config: model.config.decoder,
    files: stats.map(({ size, mtimeMs }) => [size, mtimeMs]),
    stored: [...stored],
    layout: [decoder, encoders].map(({ entries, lengthBytes }) => [lengthBytes, [...entries.values()]]),
  }
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}
