import type { DecodedMedia } from '../media/decoded-media.ts'

/**
 * Puts the pixels of decoded media into memory that threads share: they come from the thread that decodes and go on to that of the
 * model, and a large picture would take the thread that serves longer to copy than it may.
 */
export function sharePixels(media: DecodedMedia): DecodedMedia {
  return {
    ...media,
    groups: media.groups.map(group => ({
      ...group,
      pictures: group.pictures.map(picture => ({
        ...picture,
        image: { ...picture.image, data: sharedCopy(picture.image.data) },
      })),
    })),
  }
}

function sharedCopy(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  return shared
}
