import { isHintedError } from '@qoq-med/errors'
import { dataErrors } from './errors.ts'
import { maxImagePixels } from './image.ts'
import type { RgbImage } from './sample.ts'
import { startTimeBudget } from './time-budget.ts'
import { interiorPositions } from './volume/slices.ts'

/** What is used of node-av (FFmpeg), installed by the user: it is large, and only videos in containers need it. */
interface NodeAv {
  readonly Demuxer: { open: (file: string) => Promise<Demuxer> }
  readonly Decoder: { create: (stream: VideoStream) => Promise<Decoder> }
  readonly FilterAPI: { create: (description: string, options: object) => Filter }
}

interface VideoStream {
  readonly index: number
}

interface Demuxer {
  video: () => VideoStream | undefined
  packets: (index: number) => AsyncIterable<unknown>
  close: () => Promise<void>
}

interface Decoder {
  frames: (packets: AsyncIterable<unknown>) => AsyncIterable<Frame | null>
  close: () => void
}

interface Filter {
  frames: (frames: AsyncIterable<Frame | null>) => AsyncIterable<Frame | null>
  close: () => void
}

interface Frame {
  readonly width: number
  readonly height: number
  toBuffer: () => Uint8Array
  free: () => void
}

/** FFmpeg's AV_LOG_QUIET. */
const logsNothing = -8
/** Frames a video may have; an hour at 25 per second is 90,000. */
const maxFrames = 100_000

/** Frames of a video: which they are, and how many there are. */
export interface VideoFrames {
  readonly pictures: RgbImage[]
  readonly positions: readonly number[]
  readonly length: number
}

/**
 * Takes frames from a video file through FFmpeg, evenly over its length. Frames are counted by decoding, since containers lie
 * about their number.
 *
 * @throws DATA_VIDEO_UNSUPPORTED when node-av is not installed
 * @throws DATA_VIDEO_INVALID when the file does not decode
 */
export async function takeVideoFrames(
  file: string,
  { name, count }: { readonly name: string; readonly count: number },
): Promise<VideoFrames> {
  const av = await loadNodeAv(name)
  try {
    // A frame is usually one packet, and counting packets is cheap; the decoder has the last word.
    const guessed = await pictures(
      av,
      { file, name },
      interiorPositions(Math.max(1, await packetCount(av, file)), count),
    )
    if (guessed.total === 0) throw dataErrors.VIDEO_INVALID({ file: name, problem: 'it holds no frame' })
    const positions = interiorPositions(guessed.total, count)
    const isRight = positions.every((position, i) => position === guessed.positions[i])
    const { images } = isRight ? guessed : await pictures(av, { file, name }, positions)
    return { pictures: images, positions, length: guessed.total }
  } catch (cause) {
    if (isHintedError(cause)) throw cause
    throw dataErrors.VIDEO_INVALID({ file: name, problem: 'it does not decode' }, { cause })
  }
}

/** Takes the frames of `takeVideoFrames` alone. */
export async function decodeVideoFrames(
  file: string,
  options: { readonly name: string; readonly count: number },
): Promise<RgbImage[]> {
  return (await takeVideoFrames(file, options)).pictures
}

/**
 * Decodes a video frame after frame, in constant memory.
 *
 * @throws DATA_VIDEO_UNSUPPORTED when node-av is not installed
 * @throws DATA_VIDEO_INVALID when the file does not decode or holds no frame
 */
export async function* streamVideoFrames(file: string, name: string): AsyncGenerator<RgbImage> {
  const av = await loadNodeAv(name)
  const filter = av.FilterAPI.create('format=rgb24', {})
  let total = 0
  const requireTime = startTimeBudget()
  try {
    for await (const frame of filter.frames(decodedFrames(av, file, () => true))) {
      requireTime()
      if (!frame) continue
      if (++total > maxFrames)
        throw dataErrors.VIDEO_INVALID({ file: name, problem: `it has more than ${maxFrames} frames` })
      const { width, height } = frame
      if (width * height > maxImagePixels) throw dataErrors.IMAGE_TOO_LARGE({ width, height, limit: maxImagePixels })
      const data = new Uint8Array(frame.toBuffer())
      frame.free()
      yield { width, height, data }
    }
    if (total === 0) throw dataErrors.VIDEO_INVALID({ file: name, problem: 'it holds no frame' })
  } catch (cause) {
    if (isHintedError(cause)) throw cause
    throw dataErrors.VIDEO_INVALID({ file: name, problem: 'it does not decode' }, { cause })
  } finally {
    filter.close()
  }
}

/** Packets of the video stream. */
async function packetCount(av: NodeAv, file: string): Promise<number> {
  const input = await av.Demuxer.open(file)
  try {
    const stream = input.video()
    let packets = 0
    if (stream) for await (const packet of input.packets(stream.index)) packets += packet === null ? 0 : 1
    return packets
  } finally {
    await input.close()
  }
}

/** Decodes a video to its end and converts the frames at the given positions; a position may occur several times. */
async function pictures(
  av: NodeAv,
  { file, name }: { readonly file: string; readonly name: string },
  positions: readonly number[],
): Promise<{ readonly images: RgbImage[]; readonly positions: readonly number[]; readonly total: number }> {
  const wanted = new Set(positions)
  const found = new Map<number, RgbImage>()
  const order = [...wanted].toSorted((a, b) => a - b)
  const filter = av.FilterAPI.create('format=rgb24', {})
  let total = 0
  const requireTime = startTimeBudget()
  const isWanted = (position: number): boolean => {
    requireTime()
    total = position + 1
    if (total > maxFrames)
      throw dataErrors.VIDEO_INVALID({ file: name, problem: `it has more than ${maxFrames} frames` })
    return wanted.has(position)
  }
  try {
    for await (const frame of filter.frames(decodedFrames(av, file, isWanted))) {
      const position = order[found.size]
      if (!frame || position === undefined) continue
      const { width, height } = frame
      if (width * height > maxImagePixels) throw dataErrors.IMAGE_TOO_LARGE({ width, height, limit: maxImagePixels })
      found.set(position, { width, height, data: new Uint8Array(frame.toBuffer()) })
      frame.free()
    }
  } finally {
    filter.close()
  }
  return { images: positions.flatMap(position => found.get(position) ?? []), positions, total }
}

/** Decodes a video and passes on the frames that are wanted, by position; the others are freed. */
async function* decodedFrames(
  av: NodeAv,
  file: string,
  isWanted: (position: number) => boolean,
): AsyncGenerator<Frame> {
  const input = await av.Demuxer.open(file)
  try {
    const stream = input.video()
    if (!stream) return
    const decoder = await av.Decoder.create(stream)
    try {
      let position = 0
      for await (const frame of decoder.frames(input.packets(stream.index))) {
        if (!frame) continue
        if (isWanted(position++)) yield frame
        else frame.free()
      }
    } finally {
      decoder.close()
    }
  } finally {
    await input.close()
  }
}

async function loadNodeAv(name: string): Promise<NodeAv> {
  const [api, lib]: readonly string[] = ['node-av/api', 'node-av/lib']
  try {
    // FFmpeg would write its remarks, with the file's name, to the terminal.
    const { Log } = (await import(lib ?? '')) as { Log: { setLevel: (level: number) => void } } // the part that is used
    Log.setLevel(logsNothing)
    return (await import(api ?? '')) as NodeAv // the part of its API that is declared above
  } catch (cause) {
    throw dataErrors.VIDEO_UNSUPPORTED({ file: name }, { cause })
  }
}
