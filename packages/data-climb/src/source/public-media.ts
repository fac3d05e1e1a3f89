import type { Media } from '../dataset/dataset.ts'
import { dataErrors } from '../errors.ts'
import type { PublicRow } from '../sample/public-jsonl.ts'

/** Seconds of a recording that are read, as of the datasets. */
const maxSeconds = 10

/**
 * The media of a public row: pictures, one video or one recording, or pictures beside a recording.
 *
 * @param at the line, for errors
 * @param inRoot takes a path of the file to one below the root
 * @throws DATA_INDEX_INVALID when its media do not go together in one sample
 */
export function mediaOfPublicRow(
  { images, videos, timeSeries }: PublicRow,
  at: { readonly file: string; readonly number: number },
  inRoot: (name: string) => string = name => name,
): Media {
  const [header, ...otherHeaders] = timeSeries.map(inRoot)
  const [video, ...otherVideos] = videos.map(inRoot)
  const [picture, ...otherPictures] = images.map(inRoot)
  const isMixed = video !== undefined && (header !== undefined || picture !== undefined)
  if (isMixed || otherHeaders.length > 0 || otherVideos.length > 0)
    throw dataErrors.INDEX_INVALID({
      dataset: 'public QA',
      file: at.file,
      problem: `line ${at.number} has several videos or recordings, or a video beside others`,
    })
  if (video !== undefined) return { type: 'video', file: video }
  if (picture === undefined) return { type: 'ecg', header: header ?? '', maxSeconds } // a row has one of them
  if (header !== undefined) return { type: 'record', images: [picture, ...otherPictures], header, maxSeconds }
  return { type: 'image', files: [picture, ...otherPictures] }
}
