import { deflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { readXlsx } from './xlsx.ts'

/** A zip file of the given entries, deflated. */
function zip(entries: Readonly<Record<string, string>>): Uint8Array {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(entries)) {
    const packed = deflateRawSync(Buffer.from(text))
    const local = Buffer.alloc(30 + name.length)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(8, 8)
    local.writeUInt16LE(name.length, 26)
    local.write(name, 30)
    const entry = Buffer.alloc(46 + name.length)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(8, 10)
    entry.writeUInt32LE(packed.length, 20)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(offset, 42)
    entry.write(name, 46)
    locals.push(local, packed)
    directory.push(entry)
    offset += local.length + packed.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(directory.length, 10)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, ...directory, end])
}

const sheet = (rows: string) => ({
  'xl/worksheets/sheet1.xml': `<worksheet><sheetData>${rows}</sheetData></worksheet>`,
})

describe('readXlsx', () => {
  test('reads shared, inline and plain cells, and leaves gaps empty', () => {
    const book = zip({
      'xl/sharedStrings.xml':
        '<sst><si><t>ID &amp; name</t></si><si><r><t>two </t></r><r><t xml:space="preserve">runs</t></r></si></sst>',
      ...sheet(
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>' +
          '<row r="2"><c r="A2"><v>42</v></c><c r="B2" s="1"/><c r="C2" t="inlineStr"><is><t>inline</t></is></c></row>',
      ),
    })
    expect(readXlsx(book)).toEqual([
      ['ID & name', '', 'two runs'],
      ['42', '', 'inline'],
    ])
  })

  const book = zip(sheet('<row r="1"><c r="A1"><v>1</v></c></row>'))

  test.for([
    { name: 'text', bytes: Buffer.from('no workbook') },
    { name: 'a zip file without a sheet', bytes: zip({ other: 'x' }) },
    { name: 'a truncated workbook', bytes: book.subarray(20) },
    { name: 'a cell beyond the last column', bytes: zip(sheet('<row><c r="ZZZZ1"><v>1</v></c></row>')) },
  ])('refuses $name', ({ bytes }) => {
    expect(() => readXlsx(bytes)).toThrow(expect.objectContaining({ code: 'DATA_TABLE_INVALID' }))
  })
})
