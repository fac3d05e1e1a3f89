// Streams of high-throughput JPEG 2000 for dicom_compressed.py, by OpenJPH: node tooling/oracles/write-htj2k.mjs FOLDER
import { createRequire } from 'node:module'
import { writeFileSync } from 'node:fs'
import path from 'node:path'

const require = createRequire(new URL('../../packages/data-climb/package.json', import.meta.url))
const { HTJ2KEncoder } = await require('@cornerstonejs/codec-openjph/wasmjs')({ print: () => {}, printErr: () => {} })
const [width, height] = [36, 32]

function write(name, info, values) {
  const encoder = new HTJ2KEncoder()
  encoder.getDecodedBuffer({ width, height, isUsingColorTransform: false, ...info }).set(new Uint8Array(values.buffer))
  encoder.setQuality(true, 0)
  encoder.encode()
  writeFileSync(path.join(process.argv[2], `${name}.jph`), encoder.getEncodedBuffer())
  encoder.delete()
}

let x = 77
const next = () => (x = (Math.imul(1_664_525, x) + 1_013_904_223) >>> 0) >>> 16
const grey = { componentCount: 1, isSigned: false }
write(
  'grey-12',
  { ...grey, bitsPerSample: 12 },
  Uint16Array.from({ length: 1152 }, () => next() & 4095),
)
write('grey-16-signed', { ...grey, bitsPerSample: 16, isSigned: true }, Int16Array.from({ length: 1152 }, next))
write('grey-8', { ...grey, bitsPerSample: 8 }, Uint8Array.from({ length: 1152 }, next))
write('grey-8-signed', { ...grey, bitsPerSample: 8, isSigned: true }, Int8Array.from({ length: 1152 }, next))
write(
  'rgb',
  { bitsPerSample: 8, componentCount: 3, isSigned: false, isUsingColorTransform: true },
  Uint8Array.from({ length: 3456 }, next),
)
