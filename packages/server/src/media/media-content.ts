import type { ContentPart } from '@qoq-med/model'
import type { DecodedMedia } from './decoded-media.ts'

/** Decoded files as pieces of a prompt: pictures first, then ECGs, the order of training. */
export function mediaContent({ groups, ecgs }: DecodedMedia): ContentPart[] {
  const visual = groups.map(({ type, pictures }): ContentPart => {
    const images = pictures.map(({ image }) => image)
    return type === 'video' ? { type, frames: images } : { type, image: images[0]! } // a picture is one
  })
  return [...visual, ...ecgs.map(ecg => ({ type: 'ecg', ecg }) as const)]
}
