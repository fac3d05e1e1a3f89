import { expect, test } from 'vitest'
import { decoderRanges } from './decoder-ranges.ts'
import { packedLayout } from './packed-layout.ts'

/** A decoder of layers with one matrix each, and a head. */
function layoutOf(layers: number, rows: number, headRows: number): ReturnType<typeof packedLayout> {
  const names = Array.from({ length: layers }, (_, at) => `model.layers.${at}.mlp.gate_proj.weight`)
  const parameters = [...names, 'lm_head.weight'].map(name => ({
    name,
    shape: [name === 'lm_head.weight' ? headRows : rows, 64],
  }))
  return packedLayout(parameters, new Map(), () => ({ kind: 'int8' }))
}

test.for([
  { name: 'small ones are one program', layers: 4, rows: 1024, headRows: 1024, want: [4] },
  { name: 'two programs without a head', layers: 4, rows: 1024, headRows: 1, programs: 2, want: [2, 4] },
  {
    name: 'the first has more layers, the last the head',
    layers: 28,
    rows: 1024,
    headRows: 4096,
    programs: 2,
    want: [16, 28],
  },
  { name: 'a head larger than all layers', layers: 3, rows: 1024, headRows: 16_384, programs: 2, want: [2, 3] },
  { name: 'no more programs than layers', layers: 2, rows: 1024, headRows: 1024, programs: 5, want: [1, 2] },
])('divides a decoder by bytes: $name', ({ layers, rows, headRows, programs, want }) => {
  const ranges = decoderRanges(layoutOf(layers, rows, headRows), { numLayers: layers }, programs)
  expect(ranges.map(({ end }) => end)).toEqual(want)
  expect(ranges.map(({ first }) => first)).toEqual([0, ...want.slice(0, -1)])
})
