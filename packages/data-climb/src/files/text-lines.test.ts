import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defineDataset } from '../dataset/dataset.ts'
import { fillTemplate } from '../sample/fill-template.ts'
import { openDataset } from '../open/open-dataset.ts'
import { readJsonl, writeJsonl } from '../sample/public-jsonl.ts'
import { questionText, questionTemplates } from '../sample/question.ts'
import { referenceResponse } from '../sample/reference.ts'
import { findDataset } from '../datasets/registry.ts'
import type { Sample } from '../sample/sample.ts'
import { textLines } from './text-lines.ts'

let folder: string
let file: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-lines-'))
  file = path.join(folder, 'x.jsonl')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

/** Characters at which some reader of lines splits, and what replacement patterns mean. */
const awkward = fc.constantFrom(
  '\u2028',
  '\u2029',
  '\u0085',
  '\v',
  '\f',
  '\r',
  '\n',
  '\uFEFF',
  '$&',
  '$$',
  '$1',
  '{labels}',
  '{cue}',
  '<',
  'µ',
  '\u{1F9E0}',
  'a',
)
const text = fc.array(awkward, { minLength: 1, maxLength: 12 }).map(parts => parts.join(''))

describe('textLines', () => {
  test.for([
    { name: 'line feeds', content: 'a\nb\n', want: ['a', 'b'] },
    { name: 'Windows line ends', content: 'a\r\nb\r\n', want: ['a', 'b'] },
    { name: 'no line end at the end', content: 'a\nb', want: ['a', 'b'] },
    { name: 'empty lines', content: 'a\n\nb', want: ['a', '', 'b'] },
    { name: 'a byte-order mark', content: '\uFEFFa\n\uFEFFb', want: ['a', '\uFEFFb'] },
    { name: 'separators that are none', content: 'a\u2028b\u2029c\u0085d\re\n', want: ['a\u2028b\u2029c\u0085d\re'] },
    { name: 'nothing', content: '', want: [] },
  ])('reads $name', async ({ content, want }) => {
    await writeFile(file, content)
    expect(await all(textLines(file))).toEqual(want)
  })

  test('reads characters that lie across chunks', async () => {
    const line = 'µ\u2028'.repeat(100_000)
    await writeFile(file, `x${line}\n${line}`)
    expect(await all(textLines(file))).toEqual([`x${line}`, line])
  })
})

describe('the public JSONL', () => {
  test('gives back every text that was written', async () => {
    await fc.assert(
      fc.asyncProperty(text, text, async (question, label) => {
        const sample = {
          files: [path.join(folder, 'x.png')],
          modality: ['image'],
          question,
          answer: [label],
          dataset: 'd',
          domain: 'ct',
        }
        await writeJsonl(file, [sample as unknown as Sample]) // what the writer reads of a sample
        const [row, ...more] = await all(readJsonl(file))
        expect([row?.problem, row?.answer, more.length]).toEqual([`<image>\n${question}`, label, 0])
      }),
      { numRuns: 60 },
    )
  })

  test('is read with a byte-order mark', async () => {
    await writeFile(file, '\uFEFF{"problem":"<image>\\nplain","answer":"Normal","images":["x.png"]}\n')
    expect((await all(readJsonl(file))).map(row => row.answer)).toEqual(['Normal'])
  })
})

describe('texts of a sample', () => {
  test('labels and cues stand in question and reference as they are', () => {
    fc.assert(
      fc.property(text, text, (cue, label) => {
        const parts = { sampleId: 'x', cue, labels: [label, 'b'], answerMode: 'single', modality: ['image'] } as const
        const question = questionText(parts)
        const wanted = questionTemplates.single.map(template => {
          const [before = '', between = '', after = ''] = template.split(/\{cue\}|\{labels\}/)
          return before + cue + between + [label, 'b'].join(', ') + after
        })
        expect(wanted.some(start => question.startsWith(start))).toBe(true)
        const reference = referenceResponse({ sampleId: 'x', cue, answer: [label] })
        expect(reference).toContain(`\\boxed{${label}}`)
        expect(reference.split('</think>')[0]).toContain(cue)
      }),
    )
  })

  test('a dataset may have such labels, and gives them back', async () => {
    const labels = ['$& or $1', 'T{2}', '{labels}', "$' and", 'R&D']
    const root = path.join(folder, 'labels')
    await mkdir(root, { recursive: true })
    await writeFile(path.join(root, 'a.png'), 'x')
    const definition = defineDataset({
      ...findDataset('brain_tumor_2'),
      id: 'own_labels',
      labels,
      aliases: {},
      negativeLabels: [],
      locations: [{ folder: '.', marker: 'a.png' }],
      rows: async () =>
        labels.map((label, i) => ({
          key: `${i}`,
          place: 'a',
          patientId: `${i}`,
          labels: [label],
          media: { type: 'image', files: ['a.png'] },
        })),
    })
    const { samples } = await openDataset(definition, { root })
    for (const [i, { question, answer, reference }] of samples.entries()) {
      expect(answer).toEqual([labels[i]])
      expect(question).toContain(labels.join(', '))
      expect(reference()).toContain(`\\boxed{${labels[i]}}`)
    }
  })

  test.for(['a, b', 'a and b', 'a & b', 'a; b', 'a\nb', 'a}', '{a', '}{'])('a label such as %s is refused', label => {
    expect(() => defineDataset({ ...findDataset('brain_tumor_2'), labels: ['x', label] })).toThrow(
      expect.objectContaining({ code: 'DATA_DEFINITION_INVALID' }),
    )
  })

  test('a name without a value stays', () => {
    expect(fillTemplate('{a} {b} {toString}', { a: '{b}$&' })).toBe('{b}$& {b} {toString}')
  })
})
