import { dataErrors } from '../errors.ts'

/** Frames an animation may have. */
const maxFrames = 100_000
const imageDescriptor = 0x2c
const extension = 0x21

/**
 * Counts the frames of a GIF by walking over its blocks: libraries make room for all of them, whichever is wanted.
 *
 * @throws DATA_IMAGE_UNREADABLE when there are more than 100,000
 */
export function requireFewFrames(bytes: Uint8Array): void {
  if (framesExceed(bytes, maxFrames))
    throw dataErrors.IMAGE_UNREADABLE({ problem: `the animation has more than ${maxFrames} frames` })
}

function framesExceed(bytes: Uint8Array, limit: number): boolean {
  if (bytes[0] !== 0x47) return false
  let at = 13 + tableBytes(bytes[10] ?? 0)
  for (let frames = 0; at < bytes.length;) {
    const block = bytes[at]
    if (block === extension) at = afterSubBlocks(bytes, at + 2)
    else if (block === imageDescriptor) {
      if (++frames > limit) return true
      at = afterSubBlocks(bytes, at + 11 + tableBytes(bytes[at + 9] ?? 0))
    } else return false
  }
  return false
}

function tableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1)
}

function afterSubBlocks(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && bytes[at] !== 0) at += 1 + bytes[at]! // inside by the condition
  return at + 1
}
