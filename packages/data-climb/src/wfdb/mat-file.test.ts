import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { readMat } from './mat-file.ts'

function level4(type: number, rows: number, columns: number, data: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(24))
  for (const [i, value] of [type, rows, columns, 0, 4].entries()) header.setUint32(i * 4, value, true)
  for (const [i, letter] of Array.from('val\0').entries()) header.setUint8(20 + i, letter.charCodeAt(0))
  return Uint8Array.from([...new Uint8Array(header.buffer), ...data])
}

function level5(element: Uint8Array): Uint8Array {
  const file = new Uint8Array(128 + element.length)
  file.set(Buffer.from('MATLAB 5.0 MAT-file'))
  file.set([0x00, 0x01, 0x49, 0x4d], 124)
  file.set(element, 128)
  return file
}

function numeric(rows: number, columns: number, data: readonly number[]): Uint8Array {
  const words = [6, 8, 10, 0, 5, 8, rows, columns, 0x0001_0001, 0x76, 3, data.length * 2] // int16 matrix named "v"
  const body = new Uint8Array(words.length * 4 + Math.ceil((data.length * 2) / 8) * 8)
  body.set(new Uint8Array(Uint32Array.from(words).buffer))
  body.set(new Uint8Array(Int16Array.from(data).buffer), words.length * 4)
  return Uint8Array.from([...new Uint8Array(Uint32Array.from([14, body.length]).buffer), ...body])
}

/** A variable of level 5 that is deflated. */
function compressed(element: Uint8Array): Buffer {
  const deflated = deflateSync(element)
  return Buffer.concat([new Uint8Array(Uint32Array.from([15, deflated.length]).buffer), deflated])
}

describe('readMat', () => {
  test('gives rows of a level 4 matrix', () => {
    const columns = new Uint8Array(Int16Array.from([1, 2, 3, 4, 5, 6]).buffer)
    const matrix = readMat(level4(30, 2, 3, columns))
    expect(matrix).toMatchObject({ level: 4, name: 'val', shape: [2, 3], dtype: 'int16' })
    expect([...matrix.values]).toEqual([1, 3, 5, 2, 4, 6])
  })

  test.for([
    { name: 'plain', wrap: (element: Uint8Array) => element },
    {
      name: 'compressed',
      wrap: compressed,
    },
  ])('gives rows of a $name level 5 matrix', ({ wrap }) => {
    const matrix = readMat(level5(wrap(numeric(2, 2, [1, 2, 3, 4]))))
    expect(matrix).toMatchObject({ level: 5, name: 'v', shape: [2, 2], dtype: 'int16' })
    expect([...matrix.values]).toEqual([1, 3, 2, 4])
  })

  test.for([
    { name: 'an empty file', bytes: new Uint8Array(0) },
    {
      name: 'a level 4 matrix that claims more than the file',
      bytes: level4(30, 4_000_000_000, 4_000_000_000, new Uint8Array(8)),
    },
    { name: 'a matrix of no rows and four billion columns', bytes: level4(30, 0, 4_294_967_295, new Uint8Array(8)) },
    { name: 'a matrix of four billion rows and no columns', bytes: level4(30, 4_294_967_295, 0, new Uint8Array(8)) },
    { name: 'a level 5 matrix of no rows', bytes: level5(numeric(0, 4_294_967_295, [])) },
    { name: 'a level 4 sparse matrix', bytes: level4(2, 1, 1, new Uint8Array(8)) },
    {
      name: 'flags that lie past the end',
      bytes: level5(Uint8Array.from([14, 0, 0, 0, 8, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0])),
    },
    {
      name: 'variables that inflate to more than a file may',
      bytes: level5(Buffer.concat(Array<Buffer>(5).fill(compressed(new Uint8Array(2 ** 26))))),
    },
    { name: 'a level 5 file without a matrix', bytes: level5(new Uint8Array(0)) },
    { name: 'a level 5 element past the end', bytes: level5(Uint8Array.from([14, 0, 0, 0, 255, 255, 0, 0])) },
    { name: 'a level 5 matrix whose size lies', bytes: level5(numeric(70, 20, [1])) },
    {
      name: 'a compressed variable that does not inflate',
      bytes: level5(Uint8Array.from([15, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4])),
    },
  ])('refuses $name', ({ bytes }) => {
    expect(() => readMat(bytes)).toThrow(expect.objectContaining({ code: 'WFDB_BAD_MAT' }))
  })
})
