import { setImmediate as nextTurn } from 'node:timers/promises'
import { isHintedError } from '@qoq-med/errors'
import { dataErrors } from '../errors.ts'
import { maxImagePixels } from './image.ts'
import type { RgbImage } from '../sample/sample.ts'
import { startTimeBudget } from '../files/time-budget.ts'
import { interiorPositions } from '../volume/slices.ts'

/** What is used of node-av (FFmpeg), installed by the user: it is large, and only videos in containers need it. */
interface NodeAv {
  readonly Demuxer: { openSync: (file: string) => Demuxer }
  readonly Decoder: { createSync: (stream: VideoStream) => Decoder }
  readonly FilterAPI: { create: (description: string, options: object) => Filter }
}

interface VideoStream {
  readonly index: number
  /** As the container claims; 0 when it does not say. */
  readonly nbFrames: bigint
  /** Frames per second as a fraction; 0 over 0 where the container does not say. */
  readonly avgFrameRate: { readonly num: number; readonly den: number }
}

/** The calls that do not wait take half the time of those that do: a video has hundreds of packets, each soon decoded. */
interface Demuxer {
  video: () => VideoStream | undefined
  packetsSync: (index: number) => Iterable<unknown>
  closeSync: () => void
}

interface Decoder {
  framesSync: (packets: Iterable<unknown>) => Iterable<Frame | null>
  close: () => void
}

interface Filter {
  framesSync: (frames: Iterable<Frame | null>) => Iterable<Frame | null>
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
    // Containers lie about their number, and the decoder has the last word.
    const guessed = await pictures(av, { file, name }, claimed => interiorPositions(Math.max(1, claimed), count))
    if (guessed.total === 0) throw dataErrors.VIDEO_INVALID({ file: name, problem: 'it holds no frame' })
    const positions = interiorPositions(guessed.total, count)
    const isRight = positions.every((position, i) => position === guessed.positions[i])
    const { images } = isRight ? guessed : await pictures(av, { file, name }, () => positions)
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
  let total = 0
  try {
    const input = av.Demuxer.openSync(file)
    try {
      const stream = input.video()
      if (stream)
        for await (const frame of decodedFrames(av, { input, stream, name })) {
          total++
          yield* rgbPictures(av, [frame])
        }
    } finally {
      input.closeSync()
    }
    if (total === 0) throw dataErrors.VIDEO_INVALID({ file: name, problem: 'it holds no frame' })
  } catch (cause) {
    if (isHintedError(cause)) throw cause
    throw dataErrors.VIDEO_INVALID({ file: name, problem: 'it does not decode' }, { cause })
  }
}

/**
 * Frames per second of a video, as its container says.
 *
 * @returns undefined where it does not say
 * @throws DATA_VIDEO_UNSUPPORTED when node-av is not installed
 */
export async function videoRateHz(file: string, name: string): Promise<number | undefined> {
  const av = await loadNodeAv(name)
  const input = av.Demuxer.openSync(file)
  try {
    const { num = 0, den = 0 } = input.video()?.avgFrameRate ?? {}
    return num > 0 && den > 0 ? num / den : undefined
  } finally {
    input.closeSync()
  }
}

/** How many frames there may be: what the container claims, else its packets. */
function guessedFrames(av: NodeAv, stream: VideoStream, file: string): number {
  const claimed = Number(stream.nbFrames)
  if (claimed > 0 && claimed <= maxFrames) return claimed
  const input = av.Demuxer.openSync(file)
  try {
    let packets = 0
    for (const packet of input.packetsSync(stream.index)) packets += packet === null ? 0 : 1
    return packets
  } finally {
    input.closeSync()
  }
}

/** Decodes a video to its end and converts the frames at the given positions; a position may occur several times. */
async function pictures(
  av: NodeAv,
  { file, name }: { readonly file: string; readonly name: string },
  positionsOf: (claimed: number) => readonly number[],
): Promise<{ readonly images: RgbImage[]; readonly positions: readonly number[]; readonly total: number }> {
  const input = av.Demuxer.openSync(file)
  try {
    const stream = input.video()
    if (!stream) return { images: [], positions: [], total: 0 }
    const positions = positionsOf(guessedFrames(av, stream, file))
    const wanted = new Set(positions)
    const order = [...wanted].toSorted((a, b) => a - b)
    const kept: Frame[] = []
    let total = 0
    for await (const frame of decodedFrames(av, { input, stream, name }))
      if (wanted.has(total++)) kept.push(frame)
      else frame.free()
    const images = new Map(rgbPictures(av, kept).map((picture, i) => [order[i], picture]))
    return { images: positions.flatMap(position => images.get(position) ?? []), positions, total }
  } finally {
    input.closeSync()
  }
}

/** Converts frames to pictures of 8-bit RGB, and frees them. @throws DATA_IMAGE_TOO_LARGE */
function rgbPictures(av: NodeAv, frames: readonly Frame[]): RgbImage[] {
  for (const { width, height } of frames)
    if (width * height > maxImagePixels) throw dataErrors.IMAGE_TOO_LARGE({ width, height, limit: maxImagePixels })
  if (frames.length === 0) return []
  // Four frames are converted: starting more threads takes longer than they save.
  const filter = av.FilterAPI.create('format=rgb24', { threads: 1 })
  try {
    const images: RgbImage[] = []
    for (const frame of filter.framesSync(frames)) {
      if (!frame) continue
      images.push({ width: frame.width, height: frame.height, data: new Uint8Array(frame.toBuffer()) })
      frame.free()
    }
    return images
  } finally {
    filter.close()
  }
}

/** Frames that are decoded before others have their turn. */
const framesInARow = 32

/** Decodes a video, frame after frame; who takes a frame frees it. */
async function* decodedFrames(
  av: NodeAv,
  { input, stream, name }: { readonly input: Demuxer; readonly stream: VideoStream; readonly name: string },
): AsyncGenerator<Frame> {
  const requireTime = startTimeBudget()
  const decoder = av.Decoder.createSync(stream)
  try {
    let total = 0
    for (const frame of decoder.framesSync(input.packetsSync(stream.index))) {
      if (!frame) continue
      if (++total > maxFrames)
        throw dataErrors.VIDEO_INVALID({ file: name, problem: `it has more than ${maxFrames} frames` })
      yield frame
      if (total % framesInARow !== 0) continue
      requireTime()
      await nextTurn()
    }
  } finally {
    decoder.close()
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
