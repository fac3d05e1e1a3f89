import { describe, expect, test } from 'vitest'
import { parseResponse } from './parsed-response.ts'

const fenced = (json: string): string => `<think>Seen.</think>\n\`\`\`json\n${json}\n\`\`\`\n\\boxed{Edema}`
const corners = (text: string, format?: 'xyxy' | 'xywh'): unknown =>
  parseResponse(text, { format }).boxes.map(({ x1, y1, x2, y2 }) => [x1, y1, x2, y2])
const problems = (text: string): unknown => parseResponse(text).problems.map(({ type }) => type)

describe('parseResponse', () => {
  test('takes the response contract apart', () => {
    const text =
      '<think> Blunted angle. </think>\n```json\n[{"bbox_2d": [1, 2, 3, 4], "label": "Pleural Effusion", "image": 1}]\n```\n\\boxed{Pleural Effusion, Cardiomegaly}'
    expect(parseResponse(text)).toEqual({
      text,
      think: 'Blunted angle.',
      boxes: [{ x1: 1, y1: 2, x2: 3, y2: 4, label: 'Pleural Effusion', image: 1 }],
      answer: 'Pleural Effusion, Cardiomegaly',
      labels: ['Pleural Effusion', 'Cardiomegaly'],
      problems: [],
    })
  })

  test.for([
    { name: 'the last balanced box', text: '\\boxed{A} \\boxed{B} \\boxed{C', answer: 'B' },
    { name: 'nested braces', text: '\\boxed{a{b{c}}d}', answer: 'a{b{c}}d' },
    { name: 'a box inside a box', text: '\\boxed{\\boxed{A}}', answer: 'A' },
    { name: 'a doubled backslash', text: 'so \\boxed{A} and \\\\boxed{B}', answer: 'B' },
    { name: 'an escaped brace', text: '\\boxed{A \\} B}', answer: 'A \\} B' },
    { name: 'an empty box', text: '\\boxed{ }', answer: '' },
    { name: 'no box', text: 'boxed{A}', answer: undefined },
  ])('finds $name', ({ text, answer }) => {
    expect(parseResponse(text).answer).toBe(answer)
  })

  test.for([
    {
      name: 'several fences',
      json: '[{"bbox_2d":[0,0,1,1]}]\n```\ntext\n```json\n[{"bbox_2d":[2,2,3,3]}]',
      want: [
        [0, 0, 1, 1],
        [2, 2, 3, 3],
      ],
    },
    { name: 'one object', json: '{"bbox_2d":[1,2,3,4],"label":"x"}', want: [[1, 2, 3, 4]] },
    { name: 'an object of lists', json: '{"findings":[{"bbox":[1,2,3,4]}]}', want: [[1, 2, 3, 4]] },
    { name: 'an object of boxes', json: '{"Edema":[1,2,3,4]}', want: [[1, 2, 3, 4]] },
    { name: 'numbers as strings', json: '[{"bbox_2d":["1","2.5"," 3 ","4e0"]}]', want: [[1, 2.5, 3, 4]] },
    {
      name: 'single quotes and a last comma',
      json: "[{'bbox_2d': (1, 2, 3, 4), 'label': None},]",
      want: [[1, 2, 3, 4]],
    },
    { name: 'corners in any order', json: '[{"bbox_2d":[3,4,1,2]}]', want: [[1, 2, 3, 4]] },
  ])('reads $name', ({ json, want }) => {
    expect(corners(fenced(json))).toEqual(want)
  })

  test('converts corner and size once, here', () => {
    expect(corners(fenced('[{"bbox_2d":[10,20,5,6]}]'), 'xywh')).toEqual([[10, 20, 15, 26]])
  })

  test('prefers boxes after the reasoning and falls back to those inside it', () => {
    const draft = '<think>[{"bbox_2d":[9,9,10,10]}]</think>'
    expect(corners(`${draft} [{"bbox_2d":[1,1,2,2]}] \\boxed{A}`)).toEqual([[1, 1, 2, 2]])
    expect(corners(`${draft} \\boxed{A}`)).toEqual([[9, 9, 10, 10]])
  })

  test('takes no box out of brackets in prose', () => {
    expect(corners('as in [1, 2, 3, 4] and {a} [[5, 6, 7, 8]] \\boxed{A}')).toEqual([])
  })

  test.for([
    { text: 'nothing', want: ['boxed-missing'] },
    { text: '<think>a \\boxed{A}', want: ['think-unclosed', 'boxed-in-think', 'boxed-missing'] },
    { text: '<think>a</think> none', want: ['boxed-missing'] },
    { text: 'a</think>\\boxed{A}', want: ['think-unopened'] },
    { text: `${'a</think>'.repeat(100)}none`, want: ['think-unopened', 'boxed-missing'] },
    { text: '\\boxed{A} \\boxed{B', want: ['boxed-unbalanced'] },
    { text: '\\boxed{A} \\boxed{B}', want: ['boxed-several'] },
    { text: '\\boxed{}', want: ['boxed-empty'] },
    { text: '```json\n[{"bbox_2d":[1,2,3,4]}]\n\\boxed{A}', want: ['fence-unclosed'] },
    { text: fenced('not json'), want: ['json-invalid'] },
    { text: fenced('[{"bbox_2d":[1,2,3,4]}'), want: ['json-invalid'] },
    { text: fenced('[{"bbox_2d":[1,2,3,4]}] more'), want: ['json-trailing'] },
    { text: fenced('["junk", {"label":"x"}]'), want: ['entry-unreadable', 'box-missing'] },
    {
      text: fenced('[{"bbox_2d":[1,2,3]}, {"bbox_2d":{"x":1}}, {"bbox_2d":[true,0,1,1]}]'),
      want: ['box-malformed', 'box-malformed', 'box-malformed'],
    },
    {
      text: fenced('[{"bbox_2d":[1e400,2,3,4]}, {"bbox_2d":[NaN,2,3,4]}]'),
      want: ['box-not-finite', 'box-not-finite'],
    },
    { text: fenced('[{"bbox_2d":[3,2,1,4]}]'), want: ['box-reversed'] },
    { text: fenced('[{"bbox_2d":[1,2,3,4],"image":-1}]'), want: ['image-invalid'] },
    { text: 'see {a} [b] {"x": 1} \\boxed{A}', want: [] },
    { text: 'see [{"bbox_2d": nope}] \\boxed{A}', want: ['json-invalid'] },
  ])('reports $want', ({ text, want }) => {
    expect(problems(text)).toEqual(want)
  })

  test.for([
    { name: 'cut off while reasoning', text: '<think>It could be \\boxed{Edema}, or rather a mass, since the border' },
    { name: 'cut off after another draft', text: '<think>First idea: \\boxed{Mass}. No: it must be Edema because' },
    { name: 'a draft alone', text: '<think>Maybe \\boxed{Edema}.</think> I cannot tell.' },
    { name: 'a draft before an unopened end', text: 'Maybe \\boxed{Edema}.</think> I cannot tell.' },
    { name: 'a draft in a second reasoning', text: '<think>a</think> Wait. <think>\\boxed{Edema}' },
    { name: 'a draft after a repeated opening', text: '<think><think>\\boxed{Edema}</think>' },
  ])('takes no answer from the reasoning: $name', ({ text }) => {
    const { answer, labels } = parseResponse(text, { labels: ['Edema', 'Mass'] })
    expect({ answer, labels }).toEqual({ answer: undefined, labels: [] })
    expect(problems(text)).toContain('boxed-in-think')
  })

  test.for([
    { text: '<think>\\boxed{Mass}</think> \\boxed{Edema}', think: '\\boxed{Mass}', answer: 'Edema' },
    { text: '\\boxed{Edema} <think>checking', think: 'checking', answer: 'Edema' },
    { text: '<think>a</think> \\boxed{Mass} <think>b</think> \\boxed{Edema}', think: 'a\nb', answer: 'Edema' },
  ])('takes the answer outside the reasoning of $text', ({ text, think, answer }) => {
    expect(parseResponse(text)).toMatchObject({ think, answer })
  })

  test('counts the problems it does not list', () => {
    const { problems: listed } = parseResponse(fenced(`[${Array.from({ length: 100 }, () => '1').join(',')}]`))
    expect(listed).toHaveLength(65)
    expect(listed.at(-1)).toEqual({ type: 'problems-omitted', count: 36 })
  })
})
