import { createHash } from 'node:crypto'
import path from 'node:path'
import type { FileReport } from './file-report.ts'
import { streamVideoFrames, videoRateHz } from '../media/video-decoder.ts'

const firstCount = 8

/**
 * Inspects a video frame by frame, in constant memory: [frames, height, width, 3], 8-bit RGB.
 *
 * @throws DATA_VIDEO_UNSUPPORTED, DATA_VIDEO_INVALID, DATA_IMAGE_TOO_LARGE
 */
export async function inspectVideo(file: string): Promise<FileReport> {
  const hash = createHash('sha256')
  let [frames, width, height, sum, count, min, max] = [0, 0, 0, 0, 0, Infinity, -Infinity]
  let first: number[] = []
  for await (const frame of streamVideoFrames(file, path.basename(file))) {
    if (frames++ === 0) {
      first = [...frame.data.subarray(0, firstCount)]
      ;[width, height] = [frame.width, frame.height]
    }
    hash.update(frame.data)
    for (const level of frame.data) {
      sum += level
      if (level < min) min = level
      if (level > max) max = level
    }
    count += frame.data.length
  }
  const format = path.extname(file).slice(1).toLowerCase()
  const shape = [frames, height, width, 3]
  const rateHz = await videoRateHz(file, path.basename(file))
  const about = rateHz && { 'frames per second': figure(rateHz), 'duration (s)': figure(frames / rateHz) }
  const range = { first, min, max, mean: sum / count }
  return { format, shape, dtype: 'uint8', sha256: hash.digest('hex'), ...range, ...(about && { about }), warnings: [] }
}

function figure(value: number): number {
  return Number(value.toFixed(3))
}
