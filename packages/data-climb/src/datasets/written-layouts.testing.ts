import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { encodeWfdb } from '../wfdb/write.ts'

const leads = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6']

/** Writes a text or bytes, with its folders; texts whose name ends in `.gz` are compressed. */
export async function writeLayoutFile(root: string, name: string, content: string | Uint8Array): Promise<void> {
  const file = path.join(root, name)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, typeof content === 'string' && name.endsWith('.gz') ? gzipSync(content) : content)
}

/** Writes a table from rows of cells that hold no commas. */
export async function writeTable(root: string, name: string, header: string, rows: readonly string[]): Promise<void> {
  await writeLayoutFile(root, name, `${[header, ...rows].join('\n')}\n`)
}

/** Writes a picture of one grey level, of which a region may have another one, in the format of its suffix. */
export async function writeGrey(
  root: string,
  name: string,
  {
    width = 8,
    height = 6,
    level = 100,
    region,
  }: {
    readonly width?: number
    readonly height?: number
    readonly level?: number
    readonly region?: {
      readonly x1: number
      readonly y1: number
      readonly x2: number
      readonly y2: number
      readonly level: number
    }
  } = {},
): Promise<void> {
  const data = new Uint8Array(width * height).fill(level)
  if (region)
    for (let y = region.y1; y < region.y2; y++) data.fill(region.level, y * width + region.x1, y * width + region.x2)
  const picture = sharp(data, { raw: { width, height, channels: 1 } }).toColourspace('b-w')
  const bytes = await (/\.jpe?g$/i.test(name) ? picture.jpeg({ quality: 100 }) : picture.png()).toBuffer()
  await writeLayoutFile(root, name, bytes)
}

/** Writes a 12-lead record of 10 s. */
export async function writeEcg(root: string, name: string): Promise<void> {
  const signals = leads.map((lead, c) => ({
    name: lead,
    gain: 200,
    digital: Int16Array.from({ length: 5000 }, (_, i) => (i % 400) + c),
  }))
  const { hea, dat } = encodeWfdb({ record: path.basename(name), samplingRateHz: 500, signals })
  await writeLayoutFile(root, `${name}.hea`, hea)
  await writeLayoutFile(root, `${name}.dat`, dat)
}
