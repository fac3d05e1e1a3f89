import { dataUrlBytes, requirePicture } from './data-url.ts'
import type { MediaFile, SentFile } from './decoded-media.ts'

/** Takes the bytes out of what was sent. @throws SERVER_REMOTE_URL_REFUSED, SERVER_DATA_URL_INVALID, SERVER_IMAGE_FORMAT */
export function openFile(file: SentFile): MediaFile {
  if ('bytes' in file) return file
  const { place, name, url, isBase64 = false, field = place, isPicture = false } = file
  const text = typeof url === 'string' ? url : new TextDecoder().decode(url)
  const bytes = dataUrlBytes(isBase64 ? `data:;base64,${text}` : text, field)
  if (isPicture) requirePicture(bytes, place)
  return { place, name, bytes }
}
