import { bytesOf } from '../save-file.ts'
import type { ViewPicture } from '../server-documents.ts'

/** A picture as a data URL that an `<image>` shows. */
export function pictureUrl({ width, height, channels, pixels }: ViewPicture): string {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const image = new ImageData(width, height)
  const bytes = bytesOf(pixels)
  for (let i = 0; i < width * height; i++) {
    for (let channel = 0; channel < 3; channel++)
      image.data[4 * i + channel] = bytes[channels === 1 ? i : 3 * i + channel] ?? 0
    image.data[4 * i + 3] = 255
  }
  canvas.getContext('2d')?.putImageData(image, 0, 0)
  return canvas.toDataURL('image/png')
}
