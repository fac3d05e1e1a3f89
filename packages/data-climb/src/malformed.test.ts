import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { deflateSync, gunzipSync, gzipSync } from 'node:zlib'
import { isHintedError } from '@qoq-med/errors'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DatasetFolder } from './dataset/dataset-folder.ts'
import { dicomPictures } from './dicom/dicom-display.ts'
import { decodeDicom } from './dicom/dicom-image.ts'
import { packRle } from './dicom/pack-rle.testing.ts'
import {
  imageElements,
  syntaxes,
  writeDataSet,
  writeDicomFile,
  writeEncapsulatedFile,
  type ElementToWrite,
} from './dicom/write-data-set.testing.ts'
import { encodeDicom } from './dicom/write-dicom.ts'
import { decodeImage } from './media/image.ts'
import { damagedCopies } from './malformed.testing.ts'
import { presentMedia } from './media/present-media.ts'
import { readVideoFrames } from './media/video.ts'
import { decodeMetaImage, parseMetaImageHeader } from './volume/meta-image.ts'
import { niftiShape, readNifti } from './volume/nifti.ts'
import { axialSlices } from './volume/slices.ts'
import { encodeNifti } from './volume/write-nifti.ts'
import { parseWfdbHeader } from './wfdb/header.ts'
import { readMat } from './wfdb/mat-file.ts'
import { physicalSignal } from './wfdb/physical.ts'
import { decodeWfdb } from './wfdb/record.ts'
import { signalFileBytes } from './wfdb/signal-files.ts'
import { encodeWfdb } from './wfdb/write.ts'
import { readXlsx } from './files/xlsx.ts'
import { zipFile } from './files/xlsx.testing.ts'

const fixtures = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../fixtures')
const compressedFiles = JSON.parse(
  gunzipSync(readFileSync(path.join(fixtures, 'dicom-compressed.json.gz'))).toString('utf8'),
) as readonly { readonly name: string; readonly file: string }[] // written by tooling/oracles/dicom_compressed.py

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-malformed-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Memory that damaged copies of a few kilobytes may cost altogether; a header that claims gigabytes must not get them. */
const maxGrowthBytes = 512 * 2 ** 20

const record = encodeWfdb({
  record: 'r',
  samplingRateHz: 500,
  signals: ['I', 'II'].map((name, c) => ({
    name,
    gain: 200,
    digital: Int16Array.from({ length: 200 }, (_, i) => (i * 37 + c) % 999),
  })),
  comments: ['Dx: 426783006'],
})

const volume = {
  shape: [6, 5, 4],
  dtype: 'int16',
  voxels: Int16Array.from({ length: 120 }, (_, i) => i * 9 - 500),
  slope: 2,
  intercept: -1,
  spacing: [1, 1, 2],
  affine: [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0],
  warnings: [],
} as const

const metaHeader = (isCompressed: boolean) =>
  `NDims = 3\nDimSize = 6 5 4\nElementType = MET_SHORT\nCompressedData = ${isCompressed ? 'True' : 'False'}\nElementSpacing = 1 1 2\nElementDataFile = LOCAL\n`

const noise = Uint8Array.from({ length: 32 * 24 * 3 }, (_, i) => (i * 7919) % 251)
const picture = () => sharp(noise, { raw: { width: 32, height: 24, channels: 3 } })
const film = () => sharp(Buffer.concat([noise, noise]), { raw: { width: 32, height: 48, channels: 3, pageHeight: 24 } })

/** A MATLAB level 4 file with one matrix of int16, as the Challenge has it. */
function matFile(): Uint8Array {
  const bytes = Buffer.alloc(24 + 2 * 30)
  for (const [i, value] of [30, 2, 15, 0, 4].entries()) bytes.writeUInt32LE(value, i * 4)
  bytes.write('val\0', 20, 'latin1')
  return bytes
}

/** A MATLAB level 5 file with one matrix of int16, deflated or not. */
function mat5File(isCompressed: boolean): Uint8Array {
  const words = [14, 64, 6, 8, 10, 0, 5, 8, 2, 4, 0x0001_0001, 0x76, 3, 16]
  const element = Buffer.concat([
    new Uint8Array(Uint32Array.from(words).buffer),
    new Uint8Array(Int16Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer),
  ])
  const head = Buffer.alloc(128)
  head.write('MATLAB 5.0 MAT-file')
  head.set([0x00, 0x01, 0x49, 0x4d], 124)
  if (!isCompressed) return Buffer.concat([head, element])
  const deflated = deflateSync(element)
  return Buffer.concat([head, new Uint8Array(Uint32Array.from([15, deflated.length]).buffer), deflated])
}

const decodeMeta = (bytes: Uint8Array) => axialSlices(decodeMetaImage(parseMetaImageHeader(bytes), bytes))

const words = (count: number) => Array.from({ length: count }, (_, i) => (i * 4099) % 65_536)
const item = (count: number): ElementToWrite[] => [
  ['00283002', 'US', [count, 0, 16]],
  ['00283006', 'OW', words(count)],
]
const grey = { rows: 6, columns: 8, pixels: Uint16Array.from({ length: 48 }, (_, i) => i * 80), bitsStored: 12 }
const indexes = {
  rows: 6,
  columns: 8,
  pixels: Uint8Array.from({ length: 48 }, (_, i) => i),
  photometric: 'PALETTE COLOR',
}

/** A DICOM file of each kind of table, group and compression. */
const damagedDicom = [
  {
    name: 'DICOM file with lookup tables',
    make: () =>
      writeDicomFile(
        imageElements(grey, [
          ['00283000', 'SQ', [item(64)]],
          ['00283010', 'SQ', [item(64)]],
          ['00280120', 'US', 7],
          ['20500010', 'SQ', [item(64)]],
        ]),
        { syntax: syntaxes.implicitLittle },
      ),
  },
  {
    name: 'DICOM file of frames with groups',
    make: () =>
      writeDicomFile(
        imageElements({ ...grey, rows: 3 }, [
          ['00280008', 'IS', '2'],
          [
            '52009229',
            'SQ',
            [
              [
                [
                  '00289132',
                  'SQ',
                  [
                    [
                      ['00281050', 'DS', '40'],
                      ['00281051', 'DS', '80'],
                    ],
                  ],
                ],
              ],
            ],
          ],
          [
            '52009230',
            'SQ',
            [0, 1].map(
              () =>
                [
                  [
                    '00289145',
                    'SQ',
                    [
                      [
                        ['00281053', 'DS', '2'],
                        ['00281052', 'DS', '-9'],
                      ],
                    ],
                  ],
                ] as const,
            ),
          ],
        ]),
      ),
  },
  {
    name: 'DICOM file with a segmented palette',
    make: () =>
      writeDicomFile(
        imageElements(
          indexes,
          [1, 2, 3].flatMap(channel => [
            [`0028110${channel}`, 'US', [48, 0, 16]] as const,
            [`0028122${channel}`, 'OW', [0, 2, 0, 900, 1, 40, 60_000, 2, 1, 0, 0]] as const,
          ]),
        ),
        { syntax: syntaxes.explicitBig },
      ),
  },
  { name: 'DICOM file, deflated', make: () => writeDicomFile(imageElements(grey), { syntax: syntaxes.deflated }) },
  { name: 'DICOM data set without preamble', make: () => writeDataSet(imageElements(grey), { isExplicit: false }) },
  {
    name: 'DICOM file, RLE',
    make: () => writeEncapsulatedFile(imageElements(grey), { syntax: syntaxes.rle, frames: [packRle(grey.pixels, 1)] }),
  },
  ...compressedFiles
    .filter(({ name }) =>
      /^(JPEG-LS, 12 bits, signed|JPEG-LS, RGB.*plane|JPEG 2000, 12 bits, signed|JPEG 2000, YBR_RCT|HTJ2K, grey-12|JPEG, YBR_FULL_422)$/.test(
        name,
      ),
    )
    .map(({ name, file }) => ({ name: `DICOM file, ${name}`, make: () => Buffer.from(file, 'base64') })),
].map(file => ({ ...file, read: (bytes: Uint8Array) => presentMedia({ bytes, name: 'x.dcm' }) }))

/** What reads a file, and a small valid one. */
const readers: readonly {
  readonly name: string
  readonly make: () => Uint8Array | Promise<Uint8Array>
  readonly read: (bytes: Uint8Array) => unknown
}[] = [
  {
    name: 'WFDB header',
    make: () => Buffer.from(record.hea),
    read: bytes => {
      const header = parseWfdbHeader(new TextDecoder().decode(bytes), 'r')
      signalFileBytes(header)
      return decodeWfdb(header, new Map([['r.dat', record.dat]])).signals.map(physicalSignal)
    },
  },
  {
    name: 'WFDB signal file',
    make: () => record.dat,
    read: bytes => decodeWfdb(parseWfdbHeader(record.hea, 'r'), new Map([['r.dat', bytes]])),
  },
  { name: 'MATLAB file', make: matFile, read: readMat },
  { name: 'MATLAB level 5 file', make: () => mat5File(false), read: readMat },
  { name: 'MATLAB level 5 file, compressed', make: () => mat5File(true), read: readMat },
  {
    name: 'DICOM file',
    make: () =>
      encodeDicom({
        rows: 6,
        columns: 8,
        bitsStored: 12,
        modality: 'MG',
        sopInstanceUid: '2.25.1',
        pixels: Uint16Array.from({ length: 48 }, (_, i) => i * 80),
        window: { center: 2000, width: 4000 },
      }),
    read: async bytes => dicomPictures(await decodeDicom(bytes)),
  },
  ...damagedDicom,
  { name: 'NIfTI file', make: () => encodeNifti(volume), read: bytes => axialSlices(readNifti(bytes)) },
  {
    name: 'NIfTI file, compressed',
    make: () => gzipSync(encodeNifti(volume)),
    read: bytes => axialSlices(readNifti(bytes)),
  },
  { name: 'NIfTI header', make: () => gzipSync(encodeNifti(volume)), read: niftiShape },
  {
    name: 'MetaImage',
    make: () => Buffer.concat([Buffer.from(metaHeader(false)), Buffer.from(volume.voxels.buffer)]),
    read: decodeMeta,
  },
  {
    name: 'MetaImage, compressed',
    make: () => Buffer.concat([Buffer.from(metaHeader(true)), deflateSync(Buffer.from(volume.voxels.buffer))]),
    read: decodeMeta,
  },
  ...(['png', 'jpeg', 'gif', 'tiff', 'webp'] as const).map(format => ({
    name: `${format.toUpperCase()} picture`,
    make: async () => picture().toFormat(format).toBuffer(),
    read: (bytes: Uint8Array) => decodeImage(bytes),
  })),
  {
    name: 'workbook',
    make: () =>
      zipFile({
        'xl/sharedStrings.xml': '<sst><si><t>ID1</t></si><si><t>LeftRight</t></si></sst>',
        'xl/worksheets/sheet1.xml':
          '<sheetData><row><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row></sheetData>',
      }),
    read: readXlsx,
  },
  {
    name: 'GIF video',
    make: async () => film().gif().toBuffer(),
    read: async bytes => {
      const file = path.join(folder, 'film.gif')
      await writeFile(file, bytes)
      return readVideoFrames(file)
    },
  },
  {
    name: 'CSV index',
    make: () => Buffer.from('id,label\n1,"a\nb"\n2,c\n'),
    read: bytes => readIndex('index.csv', bytes),
  },
  {
    name: 'CSV index, compressed',
    make: () => gzipSync('id,label\n1,"a\nb"\n2,c\n'),
    read: bytes => readIndex('index.csv.gz', bytes),
  },
]

async function readIndex(name: string, bytes: Uint8Array): Promise<unknown> {
  await writeFile(path.join(folder, name), bytes)
  return new DatasetFolder('test', folder).readCsv(name, ['id', 'label'])
}

/** The error of a reader that is none of ours, with what was done to the file; undefined when it read or refused it. */
async function surprise(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): Promise<string | undefined> {
  try {
    await read(bytes)
    return undefined
  } catch (problem) {
    return isHintedError(problem) ? undefined : String(problem)
  }
}

describe('damaged files', () => {
  test.for(readers)('$name: read, or refused with an error of ours, without taking memory', async ({ make, read }) => {
    const bytes = new Uint8Array(await make())
    expect(await surprise(read, bytes)).toBeUndefined()
    await read(bytes)
    const before = process.memoryUsage().rss
    const surprises: string[] = []
    for (const { how, bytes: damaged } of damagedCopies(bytes)) {
      const found = await surprise(read, damaged)
      if (found !== undefined) surprises.push(`${how}: ${found}`)
    }
    expect(surprises).toEqual([])
    expect(process.memoryUsage().rss - before).toBeLessThan(maxGrowthBytes)
  })

  test.for([
    { name: 'a WFDB header', read: () => parseWfdbHeader('r 1 500 10\n../../etc/passwd 16 200 16 0 0 0 0 I\n', 'r') },
    {
      name: 'a WFDB header, by an absolute path',
      read: () => parseWfdbHeader('r 1 500 10\n/etc/passwd 16 200 16 0 0 0 0 I\n', 'r'),
    },
    { name: 'a MetaImage header', read: () => parseMetaImageHeader(Buffer.from('ElementDataFile = ../x.raw\n')) },
    {
      name: 'a MetaImage header, by a backslash',
      read: () => parseMetaImageHeader(Buffer.from('ElementDataFile = ..\\x.raw\n')),
    },
  ])('$name cannot name a file outside its folder', ({ read }) => {
    expect(read).toThrow(expect.objectContaining({ hint: expect.any(String) as string }))
  })
})
