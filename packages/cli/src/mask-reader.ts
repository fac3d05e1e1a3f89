import type { CommandInput } from './command-input.ts'
import { readInputFile } from './command-input.ts'
import { atPlace } from './error-place.ts'

/** A mask as run lengths in row-major order, starting with the zeros. */
export interface RunLengthMask {
  readonly width: number
  readonly height: number
  readonly rle: readonly number[]
}

/**
 * Makes a reader of mask pictures: every pixel that is not black is inside. A file is decoded once, and kept as run
 * lengths, so that thousands of responses may share or differ in masks.
 */
export function createMaskReader(input: Pick<CommandInput, 'resolve'>): (file: string) => Promise<RunLengthMask> {
  const known = new Map<string, Promise<RunLengthMask>>()
  return file => {
    const resolved = input.resolve(file)
    const mask = known.get(resolved) ?? decodeMask(resolved)
    known.set(resolved, mask)
    return mask
  }
}

async function decodeMask(file: string): Promise<RunLengthMask> {
  const { decodeImage } = await import('@qoq-med/data-climb')
  const { width, height, data } = await atPlace(`The mask ${file}`, async () =>
    decodeImage(await readInputFile(file, 'mask'), { orientation: 'stored' }),
  )
  const rle: number[] = []
  let inside = false
  let run = 0
  for (let i = 0; i < data.length; i += 3) {
    const isInside = (data[i]! | data[i + 1]! | data[i + 2]!) !== 0
    if (isInside === inside) run++
    else {
      rle.push(run)
      inside = isInside
      run = 1
    }
  }
  return { width, height, rle: [...rle, run] }
}
