import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { synthesise } from '../clinic/synthesise.ts'
import { openDataset, type OpenedDataset } from '../open/open-dataset.ts'
import { contactSheet } from './contact-sheet.ts'
import { ecgStrip } from './ecg-strip.ts'
import { markedPicture } from './marked-picture.ts'
import { maskOutline } from './mask-outline.ts'
import { previewSheet, variedSamples } from './preview.ts'
import { fittedText, strokeText, textWidth } from './stroke-font.ts'
import { svgDocument, svgToPng, type SvgDrawing } from './svg-drawing.ts'

const printable = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))
const pen = { size: 6, colour: '#000' }

describe('strokeText', () => {
  test('draws every printable letter of its own, inside its grid', () => {
    const drawn = printable.map(letter => strokeText(letter, { x: 0, y: 6 }, pen))
    const odd = printable.filter(letter => ['$', '^', '`', '{', '}'].includes(letter))
    expect(new Set(drawn).size).toBe(printable.length - odd.length)
    for (const text of drawn) {
      const numbers = [...(/ d="([^"]*)"/.exec(text)?.[1] ?? '').matchAll(/(-?[\d.]+) (-?[\d.]+)/g)]
      expect(numbers.length).toBeGreaterThan(1)
      for (const [, x, y] of numbers) {
        expect(Number(x)).toBeGreaterThanOrEqual(0)
        expect(Number(x)).toBeLessThanOrEqual(4)
        expect(Number(y)).toBeGreaterThanOrEqual(0)
        expect(Number(y)).toBeLessThanOrEqual(8)
      }
    }
  })

  test('needs no font: no text element, and nothing at all for an empty text', () => {
    expect(strokeText('Normal <b>', { x: 0, y: 6 }, pen)).not.toMatch(/<text|Normal|<b>/)
    expect(strokeText(' ', { x: 0, y: 6 }, pen)).toBe('')
  })

  test('cuts a text that is too wide', () => {
    const cut = fittedText('Myocardial Infarction', 9, 60)
    expect(cut).toMatch(/^Myo.*\.\.$/)
    expect(textWidth(cut, 9)).toBeLessThanOrEqual(60)
    expect(fittedText('MI', 9, 60)).toBe('MI')
  })
})

describe('ecgStrip', () => {
  const samplingRateHz = 100

  test('draws 25 mm for a second and 10 mm for a millivolt', () => {
    const { body } = ecgStrip({ leads: ['X'], samplingRateHz, signalMv: [spike(200)] }, { pixelsPerMm: 4 })
    const points = pointsOf(body).find(list => list.length > 900) ?? []
    const base = points[0]?.y ?? 0
    const peak = points.reduce((top, point) => (point.y < top.y ? point : top))
    expect(peak.x - (points[0]?.x ?? 0)).toBeCloseTo(2 * 25 * 4, 5)
    expect(base - peak.y).toBeCloseTo(10 * 4, 5)
  })

  test('keeps the extremes of a fast recording', () => {
    const signal = Float32Array.from({ length: 10_000 }, (_, i) => (i === 5003 ? 1.5 : i === 7001 ? -1 : 0))
    const { body } = ecgStrip({ leads: ['X'], samplingRateHz: 1000, signalMv: [signal] }, { pixelsPerMm: 2 })
    const points = pointsOf(body).find(list => list.length > 400) ?? []
    const base = points[0]?.y ?? 0
    expect(points.length).toBeLessThan(1200)
    expect(base - Math.min(...points.map(point => point.y))).toBeCloseTo(1.5 * 10 * 2, 5)
    expect(Math.max(...points.map(point => point.y)) - base).toBeCloseTo(1 * 10 * 2, 5)
  })

  test('shows the standard leads in three rows of four and a rhythm strip', () => {
    const leads = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6']
    const signalMv = leads.map((_, i) => spike(i))
    const standard = ecgStrip({ leads, samplingRateHz, signalMv })
    const traces = pointsOf(standard.body).filter(list => list.length >= 240 && list.length <= 1000)
    expect(traces).toHaveLength(13)
    expect(standard.height).toBeLessThan(ecgStrip({ leads: leads.slice(1), samplingRateHz, signalMv }).height)
  })

  test('draws a lead of gaps, and none at all', () => {
    const gaps = new Float32Array(10).fill(Number.NaN)
    expect(ecgStrip({ leads: ['X', 'Y'], samplingRateHz, signalMv: [gaps] }).body).not.toContain('NaN')
  })
})

describe('maskOutline', () => {
  test.for([
    { name: 'one pixel', rows: ['..', '.#'], want: 'M1 1H2M1 2H2M1 1V2M2 1V2' },
    { name: 'a row of pixels with one line per side', rows: ['###'], want: 'M0 0H3M0 1H3M0 0V1M3 0V1' },
    { name: 'nothing', rows: ['..'], want: '' },
  ])('borders $name', ({ rows, want }) => {
    expect(maskOutline(maskOf(rows))).toBe(want)
  })

  test('goes around holes: its length is the number of pixel edges between inside and outside', () => {
    const outline = maskOutline(maskOf(['#####', '#...#', '#.#.#', '#...#', '#####']))
    const lengths = [...outline.matchAll(/M(\d+) (\d+)([HV])(\d+)/g)].map(([, x, y, way, to]) =>
      Math.abs(Number(to) - Number(way === 'H' ? x : y)),
    )
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(20 + 12 + 4)
  })
})

describe('markedPicture', () => {
  const grey = { width: 40, height: 20, data: new Uint8Array(40 * 20 * 3).fill(100) }

  test('draws boxes where they are, scaled with the picture, and leaves the rest as it was', async () => {
    const drawing = await markedPicture(grey, { boxes: [{ box: { x1: 10, y1: 5, x2: 30, y2: 15 } }], fitPixels: 80 })
    expect(drawing).toMatchObject({ width: 80, height: 40 })
    const pixel = await pixelReader(drawing)
    expect(pixel(20, 20)).toEqual([255, 212, 0])
    expect(pixel(60, 20)).toEqual([255, 212, 0])
    expect(pixel(40, 20)).toEqual([100, 100, 100])
    expect(pixel(5, 5)).toEqual([100, 100, 100])
  })

  test('outlines a mask, and writes labels without fonts', async () => {
    const data = Uint8Array.from({ length: 800 }, (_, i) => (i % 40 >= 20 ? 1 : 0))
    const boxes = [{ box: { x1: 2, y1: 2, x2: 8, y2: 8 }, label: 'Mass', colour: '#ff0000' }]
    const drawing = await markedPicture(grey, { mask: { width: 40, height: 20, data }, boxes })
    expect(svgDocument(drawing)).not.toContain('<text')
    const [red, green, blue] = (await pixelReader(drawing))(20, 15)
    expect(blue).toBeGreaterThan(150)
    expect(green).toBeGreaterThan(120)
    expect(red).toBeLessThan(100)
  })
})

describe('contact sheets of the mini clinic', () => {
  let folder = ''
  let opened: OpenedDataset[] = []
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'qoq-preview-'))
    await synthesise({ dir: folder, seed: 3, size: 36, preset: 'balanced', domains: ['ecg', 'ct', 'ultrasound'] })
    opened = await Promise.all(
      ['ecg', 'ct', 'ultrasound'].map(domain => openDataset(`mini_clinic_${domain}`, { root: folder })),
    )
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('say that they are simulated, and are the same at every call', async () => {
    const png = await previewSheet(opened, { count: 3 })
    const { width, height, format } = await sharp(png).metadata()
    expect({ width, format }).toEqual({ width: 1648, format: 'png' })
    expect(height).toBeGreaterThan(1000)
    expect(await previewSheet(opened, { count: 3 })).toEqual(png)
    const head = { title: 'QoQ-Med mini clinic: simulated', note: '' }
    const { body } = await contactSheet([], head)
    expect(body).toContain(strokeText(head.title, { x: 16, y: 36 }, { size: 18, colour: '#1a1a1a', weight: 0.16 }))
  })

  test('show as many answers as they have places for, of different patients', () => {
    const { samples } = opened[1]!
    const chosen = variedSamples(samples, 3, 1)
    expect(new Set(chosen.map(sample => sample.answer[0])).size).toBe(3)
    expect(new Set(chosen.map(sample => sample.patientId)).size).toBe(3)
    expect(variedSamples(samples, 500, 1)).toHaveLength(samples.length)
  })
})

/** Ten seconds at 100 Hz with one sample of 1 mV. */
function spike(at: number): Float32Array {
  return Float32Array.from({ length: 1000 }, (_, i) => (i === at ? 1 : 0))
}

function maskOf(rows: readonly string[]) {
  const data = Uint8Array.from(rows.join(''), cell => (cell === '#' ? 1 : 0))
  return { width: rows[0]?.length ?? 0, height: rows.length, data }
}

/** The points of every line of a drawing. */
function pointsOf(body: string): { x: number; y: number }[][] {
  return [...body.matchAll(/ d="M([^"MHV]*)"/g)].map(([, line = '']) =>
    line.split('L').map(point => {
      const [x = '', y = ''] = point.split(' ')
      return { x: Number(x), y: Number(y) }
    }),
  )
}

async function pixelReader(drawing: SvgDrawing): Promise<(x: number, y: number) => number[]> {
  const { data, info } = await sharp(await svgToPng(drawing))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return (x, y) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)]
}
