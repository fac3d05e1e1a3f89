import { BitReader } from './bit-reader.ts'
import { decodeSubframe } from './flac-subframe.ts'
import { wfdbErrors } from './errors.ts'

/** A decoded FLAC stream: one array per channel, as signed integers. */
export interface FlacAudio {
  readonly channels: readonly Int32Array[]
  readonly bitsPerSample: number
}

const channelLimit = 8
const blockSizes: readonly number[] = [
  0, 192, 576, 1152, 2304, 4608, 0, 0, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768,
]
const sampleBits: readonly number[] = [0, 8, 12, 0, 16, 20, 24, 32]

/**
 * Decodes a FLAC stream (RFC 9639) and checks each frame's checksum.
 *
 * @param bytes the whole stream, starting with `fLaC`
 * @param maxSamples most samples per channel to produce; a stream that holds more is cut there
 * @throws WFDB_BAD_FLAC when the stream is malformed or ends early
 */
export function decodeFlac(bytes: Uint8Array, maxSamples: number): FlacAudio {
  const stream = readStreamInfo(bytes)
  const chunks: Int32Array[][] = []
  let decoded = 0
  let at = stream.end
  while (at < bytes.length && decoded < maxSamples) {
    const frame = decodeFrame(bytes, at, stream)
    chunks.push(frame.channels)
    decoded += frame.channels[0]?.length ?? 0
    at = frame.end
  }
  const length = Math.min(decoded, maxSamples)
  const channels = Array.from({ length: stream.channelCount }, () => new Int32Array(length))
  let filled = 0
  for (const chunk of chunks) {
    for (const [c, block] of chunk.entries()) channels[c]?.set(block.subarray(0, length - filled), filled)
    filled += chunk[0]?.length ?? 0
  }
  return { channels, bitsPerSample: stream.bitsPerSample }
}

interface StreamInfo {
  readonly channelCount: number
  readonly bitsPerSample: number
  readonly end: number
}

function readStreamInfo(bytes: Uint8Array): StreamInfo {
  const magic = bytes.length >= 42 && bytes[0] === 0x66 && bytes[1] === 0x4c && bytes[2] === 0x61 && bytes[3] === 0x43
  if (!magic) throw wfdbErrors.BAD_FLAC({ problem: 'it does not start with "fLaC" and a stream description' })
  const info = new BitReader(bytes, 8 + 10)
  info.read(20)
  const channelCount = info.read(3) + 1
  const bitsPerSample = info.read(5) + 1
  let at = 4
  for (let last = false; !last;) {
    if (at + 4 > bytes.length) throw wfdbErrors.BAD_FLAC({ problem: 'a metadata block runs past the end' })
    last = (bytes[at]! & 0x80) !== 0 // bounded by the check above
    at += 4 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) // bounded by the check above
  }
  if (at > bytes.length) throw wfdbErrors.BAD_FLAC({ problem: 'a metadata block runs past the end' })
  return { channelCount, bitsPerSample, end: at }
}

function decodeFrame(bytes: Uint8Array, start: number, stream: StreamInfo): { channels: Int32Array[]; end: number } {
  const reader = new BitReader(bytes, start)
  if (reader.read(15) !== 0x7ffc) throw wfdbErrors.BAD_FLAC({ problem: `no frame starts at byte ${start}` })
  reader.read(1)
  const blockCode = reader.read(4)
  const rateCode = reader.read(4)
  const assignment = reader.read(4)
  const bits = sampleBits[reader.read(3)] || stream.bitsPerSample
  reader.read(1)
  skipCodedNumber(reader)
  const blockSize =
    blockCode === 6 ? reader.read(8) + 1 : blockCode === 7 ? reader.read(16) + 1 : blockSizes[blockCode]!
  if (rateCode >= 12) reader.read(rateCode === 12 ? 8 : 16)
  if (checksum(bytes.subarray(start, reader.byteOffset), crc8Table, 8) !== reader.read(8))
    throw wfdbErrors.BAD_FLAC({ problem: `the frame header at byte ${start} fails its checksum` })
  const channelCount = assignment < channelLimit ? assignment + 1 : 2
  if (blockSize === 0 || assignment > 10 || channelCount !== stream.channelCount)
    throw wfdbErrors.BAD_FLAC({ problem: `the frame at byte ${start} has an unknown layout` })
  const channels = Array.from({ length: channelCount }, (_, c) =>
    decodeSubframe(reader, blockSize, bits + (isDifference(assignment, c) ? 1 : 0)),
  )
  joinStereo(channels, assignment)
  reader.align()
  if (checksum(bytes.subarray(start, reader.byteOffset), crc16Table, 16) !== reader.read(16))
    throw wfdbErrors.BAD_FLAC({ problem: `the frame at byte ${start} fails its checksum` })
  return { channels, end: reader.byteOffset }
}

/** Assignment 8 is left and difference, 9 difference and right, 10 middle and difference. */
function isDifference(assignment: number, channel: number): boolean {
  return assignment === 9 ? channel === 0 : assignment >= 8 && channel === 1
}

function joinStereo(channels: readonly Int32Array[], assignment: number): void {
  const [first, second] = channels
  if (assignment < 8 || !first || !second) return
  for (let i = 0; i < first.length; i++) {
    const a = first[i]!
    const b = second[i]!
    if (assignment === 8) second[i] = a - b
    else if (assignment === 9) first[i] = a + b
    else {
      const middle = a * 2 + (b & 1)
      first[i] = (middle + b) >> 1
      second[i] = (middle - b) >> 1
    }
  }
}

function skipCodedNumber(reader: BitReader): void {
  const first = reader.read(8)
  let ones = 0
  while (ones < 8 && first & (0x80 >> ones)) ones++
  if (ones === 1 || ones === 8) throw wfdbErrors.BAD_FLAC({ problem: 'a frame number is malformed' })
  for (let i = 1; i < ones; i++) reader.read(8)
}

function crcTable(polynomial: number, bits: number): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => {
    let crc = byte << (bits - 8)
    for (let i = 0; i < 8; i++) crc = crc & (1 << (bits - 1)) ? (crc << 1) ^ polynomial : crc << 1
    return crc & (2 ** bits - 1)
  })
}

const crc8Table = crcTable(0x07, 8)
const crc16Table = crcTable(0x8005, 16)

function checksum(bytes: Uint8Array, table: Uint16Array, bits: number): number {
  let crc = 0
  for (const byte of bytes) crc = ((crc << 8) ^ table[((crc >> (bits - 8)) ^ byte) & 0xff]!) & (2 ** bits - 1) // 256 entries
  return crc
}
