import { describe, expect, test } from 'vitest'
import { readXlsx } from './xlsx.ts'
import { zipFile } from './xlsx.testing.ts'

const sheet = (rows: string) => ({
  'xl/worksheets/sheet1.xml': `<worksheet><sheetData>${rows}</sheetData></worksheet>`,
})

describe('readXlsx', () => {
  test('reads shared, inline and plain cells, and leaves gaps empty', () => {
    const book = zipFile({
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

  const book = zipFile(sheet('<row r="1"><c r="A1"><v>1</v></c></row>'))

  test.for([
    { name: 'text', bytes: Buffer.from('no workbook') },
    { name: 'a zip file without a sheet', bytes: zipFile({ other: 'x' }) },
    { name: 'a truncated workbook', bytes: book.subarray(20) },
    { name: 'a cell beyond the last column', bytes: zipFile(sheet('<row><c r="ZZZZ1"><v>1</v></c></row>')) },
  ])('refuses $name', ({ bytes }) => {
    expect(() => readXlsx(bytes)).toThrow(expect.objectContaining({ code: 'DATA_TABLE_INVALID' }))
  })
})
