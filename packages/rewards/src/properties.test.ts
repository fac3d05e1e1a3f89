import fc from 'fast-check'
import { expect, test } from 'vitest'
import { accuracy } from './accuracy.ts'
import { boxIou } from './geometry/box.ts'
import { combine } from './combine.ts'
import { normalizeLabel } from './parse/label-vocabulary.ts'
import { parseResponse } from './parse/parsed-response.ts'
import { presets } from './presets.ts'
import { builtInRewards } from './built-in-rewards.ts'
import type { Truth } from './truth.ts'

/** Pieces of the response contract, so that random texts come near it. */
const piece = fc.oneof(
  fc.constantFrom(
    '<think>',
    '</think>',
    '```json',
    '```',
    '\\boxed{',
    '{',
    '}',
    '[',
    ']',
    '\\',
    '"',
    "'",
    '\n',
    ', ',
    ' and ',
  ),
  fc.constantFrom(
    '"bbox_2d": ',
    '"label": ',
    '"image": ',
    '[1, 2, 3, 4]',
    '1e400',
    'NaN',
    '-0',
    'null',
    'None',
    'Edema',
    'Mass',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
)
const names = ['Edema', 'Mass', 'Tumor and Stroma', 'R&D', 'Atrial fibrillation, paroxysmal', 'None', 'ER+', 'ER-']
const labels = fc.shuffledSubarray(names)
const number = fc.oneof(fc.double(), fc.integer({ min: -5, max: 15 }))
const anyLabel = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '-',
        ' ',
        '.',
        '• ',
        '\\text{',
        '}',
        '＼',
        '\t',
        'a',
        'É',
        'İ',
        'ﷺ',
        'ﬁ',
        '\u200B',
        '"',
        '́',
        'ER+',
      ),
    )
    .map(pieces => pieces.join('')),
)
const corners = fc.record({ x1: number, y1: number, x2: number, y2: number })
const entry = fc.record({ numbers: fc.tuple(number, number, number, number), label: fc.constantFrom(...names) })
const separator = fc.constantFrom(', ', '; ', ' and ', ' & ', '\n', ' AND ', '，', ', and ')

/** A well-formed response with drawn boxes. */
const wellFormed = fc.record({ answer: labels, entries: fc.array(entry) }).map(({ answer, entries }) => {
  const boxes = entries.map(({ numbers, label }) => `{"bbox_2d": [${numbers.join(', ')}], "label": "${label}"}`)
  return `<think>Seen.</think>\n\`\`\`json\n[${boxes.join(', ')}]\n\`\`\`\n\\boxed{${answer.join(', ')}}`
})
const response = fc.oneof(
  wellFormed,
  fc.array(piece, { maxLength: 40 }).map(pieces => pieces.join('')),
  fc.string({ unit: 'binary' }),
)
const truth: fc.Arbitrary<Truth> = fc.record(
  {
    answer: labels,
    labels: fc.constant(names),
    boxes: fc.array(corners, { maxLength: 3 }),
    mask: fc.constant({ width: 8, height: 8, rle: [9, 3, 5, 3, 44] }),
    image: fc.record({ width: fc.integer({ min: 1, max: 999 }), height: fc.integer({ min: 1, max: 999 }) }),
    modality: fc.constantFrom('ecg', 'mri', 'text'),
    views: fc.constant([{ image: 0, from: 1, transform: [1, 0, 0, 0, 1, 0] }]),
  },
  { requiredKeys: ['answer'] },
)

const everything = combine(Object.fromEntries(Object.keys(builtInRewards).map(name => [name, 1])))
const composites = [everything, combine(presets.paper), combine(presets.release)]

function isShare(value: number): boolean {
  return value >= 0 && value <= 1
}

function scoreOf(answer: readonly string[], expected: readonly string[], glue: string): number {
  return accuracy(parseResponse(`\\boxed{${answer.join(glue)}}`), { answer: expected, labels: names }).score
}

const runs = { numRuns: 1000 }

test.for<readonly [string, () => void]>([
  [
    'the parser never throws; its boxes are finite and ordered, its labels distinct',
    () =>
      fc.assert(
        fc.property(response, fc.constantFrom('xyxy' as const, 'xywh' as const), (text, format) => {
          const parsed = parseResponse(text, { format, labels: names })
          const isBox = parsed.boxes.every(
            ({ x1, y1, x2, y2 }) => [x1, y1, x2, y2].every(Number.isFinite) && x1 <= x2 && y1 <= y2,
          )
          return parsed.text === text && isBox && new Set(parsed.labels).size === parsed.labels.length
        }),
        runs,
      ),
  ],
  [
    'every reward, preset and part is in [0, 1], weights add to 1, nothing fails',
    () =>
      fc.assert(
        fc.property(response, truth, (text, expected) =>
          composites.every(composite => {
            const { score, parts, weights, failures } = composite(text, expected)
            const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0)
            return (
              isShare(score) &&
              Object.values(parts).every(isShare) &&
              Math.abs(total - 1) < 1e-12 &&
              failures.length === 0
            )
          }),
        ),
        runs,
      ),
  ],
  [
    'the order of labels does not matter, nor what separates them',
    () =>
      fc.assert(
        fc.property(labels, labels, separator, separator, fc.nat(), (answer, expected, glue, otherGlue, seed) => {
          const turned = answer.map((_, i) => answer[(i + seed) % answer.length] ?? '')
          return scoreOf(answer, expected, glue) === scoreOf(turned, expected.toReversed(), otherGlue)
        }),
        runs,
      ),
  ],
  [
    'a subset of the label list comes back whatever separates it',
    () =>
      fc.assert(
        fc.property(labels, separator, (answer, glue) => {
          const parsed = parseResponse(`\\boxed{${answer.join(glue)}}`, { labels: names })
          return JSON.stringify(parsed.labels) === JSON.stringify(answer)
        }),
        runs,
      ),
  ],
  [
    'accuracy is symmetric in prediction and truth',
    () =>
      fc.assert(
        fc.property(labels, labels, (a, b) => scoreOf(a, b, ', ') === scoreOf(b, a, ', ')),
        runs,
      ),
  ],
  [
    'a response scores the same however it was parsed before',
    () =>
      fc.assert(
        fc.property(
          response,
          truth,
          (text, expected) => everything(text, expected).score === everything(parseResponse(text), expected).score,
        ),
        runs,
      ),
  ],
  [
    'normalizing a label twice changes nothing',
    () =>
      fc.assert(
        fc.property(anyLabel, written => {
          const once = normalizeLabel(written)
          return normalizeLabel(once) === once
        }),
        runs,
      ),
  ],
  [
    'the IoU of boxes is symmetric and in [0, 1]',
    () =>
      fc.assert(
        fc.property(corners, corners, (a, b) => boxIou(a, b) === boxIou(b, a) && isShare(boxIou(a, b))),
        runs,
      ),
  ],
])('over 1,000 random cases: %s', ([, check]) => {
  expect(check).not.toThrow()
})
