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

const counterweights = new WeakMap<Uint8Array, ArrayBuffer>()

/**
 * Lets the collector of this thread know of shared pixels. V8 counts no memory that threads share, so that large pictures of requests
 * that are over would stay until something else makes it collect. As much is reserved beside them, of which no page is touched.
 */
export function countPixels(media: DecodedMedia): DecodedMedia {
  for (const { pictures } of media.groups)
    for (const { image } of pictures) counterweights.set(image.data, new ArrayBuffer(image.data.length))
  return media
}

function sharedCopy(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  return shared
}
