import { schemaProblem } from '@qoq-med/errors'
import { expect, test } from 'vitest'
import { z } from 'zod'

/** Phrases of zod itself, which say what a program is told and not what a person should write. */
const phrases = /invalid|expected|received|too (small|big)|unrecognized|NaN|>=|<=/i

const Form = z.strictObject({
  name: z.string().min(1),
  count: z.int().positive(),
  share: z.number().min(0).max(1),
  isOn: z.boolean(),
  list: z.array(z.number()).min(1).max(3),
  pair: z.array(z.number()).min(2),
  device: z.enum(['cpu', 'cuda', 'webgpu']),
  kind: z.literal('ecg'),
  code: z.string().regex(/^x/),
  word: z.string().regex(/^x/, 'Begin it with x'),
  step: z.number().multipleOf(5),
  fields: z.record(z.string(), z.number()),
  either: z.union([z.number(), z.boolean()]),
  'word or list': z.union([z.literal('paper'), z.literal('release'), z.array(z.string())]),
})
const good = {
  name: 'a',
  count: 1,
  share: 0.5,
  isOn: true,
  list: [1],
  pair: [1, 2],
  device: 'cpu',
  kind: 'ecg',
  code: 'x',
  word: 'x',
  step: 5,
  fields: {},
  either: 1,
  'word or list': 'paper',
}

test.for([
  { field: 'name', value: undefined, want: 'is missing' },
  { field: 'name', value: 5, want: 'must be a text' },
  { field: 'name', value: '', want: 'must not be empty' },
  { field: 'count', value: '5', want: 'must be a number' },
  { field: 'count', value: 1.5, want: 'must be a whole number' },
  { field: 'count', value: 0, want: 'must be more than 0' },
  { field: 'share', value: -1, want: 'must be at least 0' },
  { field: 'share', value: 2, want: 'must be at most 1' },
  { field: 'isOn', value: 'yes', want: 'must be true or false' },
  { field: 'list', value: 3, want: 'must be a list' },
  { field: 'list', value: [], want: 'must not be empty' },
  { field: 'list', value: [1, 2, 3, 4], want: 'must have at most 3 entries' },
  { field: 'pair', value: [1], want: 'must have at least 2 entries' },
  { field: 'device', value: 'webgup', want: 'must be one of cpu, cuda, webgpu; webgpu is the nearest' },
  { field: 'device', value: 'elephant', want: 'must be one of cpu, cuda, webgpu' },
  { field: 'kind', value: 'mri', want: 'must be ecg' },
  { field: 'code', value: 'y', want: 'has another form than it must have' },
  { field: 'word', value: 'y', want: 'begin it with x' },
  { field: 'step', value: 3, want: 'must be a multiple of 5' },
  { field: 'fields', value: [], want: 'must be a group of fields' },
  { field: 'either', value: 'x', want: 'has none of the forms that it may have' },
  {
    field: 'word or list',
    value: 'papr',
    want: 'must be one of paper, release; paper is the nearest, or of another form that it may have',
  },
])('what a schema says of $field $value is said in plain words', ({ field, value, want }) => {
  const { error } = Form.safeParse({ ...good, [field]: value })
  expect(schemaProblem(error?.issues[0], value)).toBe(want)
  expect(want).not.toMatch(phrases)
})

test('an unknown field is named', () => {
  const { error } = Form.safeParse({ ...good, extra: 1 })
  expect(schemaProblem(error?.issues[0])).toBe('has a field that is not known, extra')
})
