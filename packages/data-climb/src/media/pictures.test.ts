import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { sha256OfArray } from './array-summary.ts'
import { presentMedia } from './present-media.ts'

/** One picture of fixtures/pictures.json.gz, made by tooling/oracles/pictures.py, with the hash of its RGB levels by Pillow. */
interface OraclePicture {
  readonly name: string
  readonly file: string
  readonly sha256: string
}

const fixture = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../fixtures/pictures.json.gz')
const pictures = JSON.parse(gunzipSync(readFileSync(fixture)).toString('utf8')) as readonly OraclePicture[] // written by the script

describe('pictures of every mode are seen as by the processor of transformers', () => {
  test.for(pictures.map(entry => [entry.name, entry] as const))('%s', async ([name, { file, sha256 }]) => {
    const media = await presentMedia({ bytes: Buffer.from(file, 'base64'), name })
    expect(media.pictures.map(({ data }) => sha256OfArray(data))).toEqual([sha256])
  })
})
