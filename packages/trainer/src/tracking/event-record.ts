import { crc32c } from './crc32c.ts'

/** Added to a rotated checksum, so that a checksum of data that holds checksums is not special (TFRecord). */
const maskDelta = 0xa282ead8

/** Wire types of Protocol Buffers that an event uses. */
const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/** Field numbers of tensorflow.Event, Summary and Summary.Value. */
const field = {
  event: { wallTime: 1, step: 2, fileVersion: 3, summary: 5 },
  summary: { value: 1 },
  value: { tag: 1, simpleValue: 2 },
} as const

/** The first record of an event file. */
export function versionRecord(wallTimeSeconds: number): Uint8Array {
  return frame(
    Buffer.concat([
      double(field.event.wallTime, wallTimeSeconds),
      delimited(field.event.fileVersion, Buffer.from('brain.Event:2')),
    ]),
  )
}

/**
 * One step's scalars as a record of a TensorBoard event file: a TFRecord with one `Event`. A value that is not finite is
 * written as such; TensorBoard shows it as a marker.
 *
 * @param step counted from 1
 * @param scalars values by tag, such as `drpo/reward`
 */
export function scalarRecord(
  step: number,
  wallTimeSeconds: number,
  scalars: Readonly<Record<string, number>>,
): Uint8Array {
  const values = Object.entries(scalars).map(([tag, value]) =>
    delimited(
      field.summary.value,
      Buffer.concat([delimited(field.value.tag, Buffer.from(tag)), float(field.value.simpleValue, value)]),
    ),
  )
  return frame(
    Buffer.concat([
      double(field.event.wallTime, wallTimeSeconds),
      key(field.event.step, wire.varint),
      varint(step),
      delimited(field.event.summary, Buffer.concat(values)),
    ]),
  )
}

/** Length, checksum of the length, data, checksum of the data. */
function frame(data: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(data.length))
  return Buffer.concat([length, maskedChecksum(length), data, maskedChecksum(data)])
}

function maskedChecksum(bytes: Uint8Array): Buffer {
  const crc = crc32c(bytes)
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE((((crc >>> 15) | (crc << 17)) + maskDelta) >>> 0)
  return buffer
}

function key(number: number, type: number): Buffer {
  return varint((number << 3) | type)
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  return Buffer.from([...bytes, rest])
}

function delimited(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([key(number, wire.bytes), varint(bytes.length), bytes])
}

function double(number: number, value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeDoubleLE(value)
  return Buffer.concat([key(number, wire.fixed64), buffer])
}

function float(number: number, value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeFloatLE(value)
  return Buffer.concat([key(number, wire.fixed32), buffer])
}
