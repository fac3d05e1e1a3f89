import { dataErrors } from './errors.ts'
import { maxImagePixels } from './image.ts'
import type { RgbImage } from './sample.ts'
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

/**
 * Takes frames from a video file through FFmpeg. Frames are counted by decoding, since containers lie about their number.
 *
 * @throws DATA_VIDEO_UNSUPPORTED when node-av is not installed
 * @throws DATA_VIDEO_INVALID when the file does not decode
 */
export async function decodeVideoFrames(
  file: string,
  { name, count }: { readonly name: string; readonly count: number },
): Promise<RgbImage[]> {
  const av = await loadNodeAv(name)
  try {
    let total = 0
    for await (const frame of decodedFrames(av, file, () => true)) {
      frame.free()
      if (++total > maxFrames)
        throw dataErrors.VIDEO_INVALID({ file: name, problem: `it has more than ${maxFrames} frames` })
    }
    if (total === 0) throw dataErrors.VIDEO_INVALID({ file: name, problem: 'it holds no frame' })
    return await pictures(av, file, interiorPositions(total, count))
  } catch (cause) {
    if (cause instanceof Error && 'hint' in cause) throw cause
    throw dataErrors.VIDEO_INVALID({ file: name, problem: 'it does not decode' }, { cause })
  }
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
  try {
    for await (const frame of filter.frames(decodedFrames(av, file, () => true))) {
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
    if (cause instanceof Error && 'hint' in cause) throw cause
    throw dataErrors.VIDEO_INVALID({ file: name, problem: 'it does not decode' }, { cause })
  } finally {
    filter.close()
  }
}

/** Converts the frames at the given positions; a position may occur several times. */
async function pictures(av: NodeAv, file: string, positions: readonly number[]): Promise<RgbImage[]> {
  const wanted = new Set(positions)
  const found = new Map<number, RgbImage>()
  const order = [...wanted].toSorted((a, b) => a - b)
  const filter = av.FilterAPI.create('format=rgb24', {})
  try {
    for await (const frame of filter.frames(decodedFrames(av, file, position => wanted.has(position)))) {
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
  return positions.flatMap(position => found.get(position) ?? [])
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
