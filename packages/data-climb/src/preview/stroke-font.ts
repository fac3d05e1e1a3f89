import { svgNumber } from './svg-drawing.ts'

/**
 * Letters as pen strokes on a grid 4 wide: capitals reach from row 0 to row 6, small letters from row 2, tails to row 8.
 * A point is two digits, x and y; strokes are separated by blanks. Pictures with such letters are the same on every
 * machine: text elements need fonts, which a bare machine has not.
 */
const glyphs: Readonly<Record<string, string>> = {
  A: '062046 1333',
  B: '06003041423303 3344453606',
  C: '4130100105163645',
  D: '00062645412000',
  E: '40000646 0333',
  F: '400006 0333',
  G: '4130100105163645434323',
  H: '0006 4046 0343',
  I: '1030 2026 1636',
  J: '404536160504',
  K: '0006 4003 1346',
  L: '000646',
  M: '0600234046',
  N: '06004640',
  O: '10304145361605011030',
  P: '06003041423303',
  Q: '10304145361605011030 2446',
  R: '06003041423303 2346',
  S: '413010010213334445361605',
  T: '0040 2026',
  U: '000516364540',
  V: '002640',
  W: '0016233640',
  X: '0046 4006',
  Y: '00234023 2326',
  Z: '00400646',
  a: '4246 43321203051636 3645',
  b: '0006 03123243453616 1605',
  c: '4332120305163645',
  d: '4046 43321203051636 3645',
  e: '044443321203051636',
  f: '4030212126 1232',
  g: '4247381807 4332120304153544',
  h: '0006 031232434346',
  i: '2226 20',
  j: '32372818 30',
  k: '0006 4204 1446',
  l: '2026',
  m: '0206 031223262312 23324346',
  n: '0206 0312324346',
  o: '12324345361605031232',
  p: '0208 03123243453616 1605',
  q: '4248 43321203051636 3645',
  r: '1216 13223242',
  s: '43321203143445361605',
  t: '20253545 0242',
  u: '02051636 3645 4246',
  v: '022642',
  w: '0216233642',
  x: '0246 4206',
  y: '0226 4218',
  z: '02420646',
  0: '10304145361605011030 1531',
  1: '112026 1636',
  2: '0110304142060646',
  3: '01103041423313 334445361605',
  4: '36300444',
  5: '400003334445361605',
  6: '3010010516364544331304',
  7: '004016',
  8: '10304142331302011030 133344453616050413',
  9: '43331302011030414536 3616',
  '.': '26',
  ',': '2517',
  ':': '23 26',
  ';': '23 2517',
  '-': '1333',
  _: '0747',
  '/': '4006',
  '\\': '0046',
  '(': '30212536',
  ')': '10212516',
  '[': '30202636',
  ']': '10202616',
  '+': '2125 0343',
  '=': '0242 0444',
  '*': '2125 0244 4204',
  '%': '4006 0011 3546',
  '&': '46111020211305162644',
  '#': '1016 3036 0242 0444',
  '!': '2024 26',
  '?': '01103041422324 26',
  "'": '2021',
  '"': '1011 3031',
  '<': '410345',
  '>': '014305',
  '|': '2027',
  '~': '0413223342',
  '@': '4616050110304144343222232434',
  '·': '23',
  '×': '1335 1533',
  '–': '0343',
  µ: '0208 05163645 4246',
}

/** Rows from the top of a capital to its foot. */
const capitalRows = 6
/** Columns between two letters, and of a blank. */
const letterGap = 1.7
const blankWidth = 2.2

/** How a text is drawn. */
export interface TextStyle {
  /** Height of a capital in pixels. */
  readonly size: number
  readonly colour: string
  /** Pen width relative to the height; 0.13 by default. */
  readonly weight?: number
}

/**
 * Draws a line of text as strokes.
 *
 * @param x left edge
 * @param y baseline
 * @returns an SVG element, or an empty text; a letter without strokes is drawn as a question mark
 */
export function strokeText(
  text: string,
  { x, y }: { readonly x: number; readonly y: number },
  style: TextStyle,
): string {
  const { size, colour, weight = 0.13 } = style
  const unit = size / capitalRows
  let path = ''
  let column = 0
  for (const letter of text) {
    const { strokes, left, width } = glyphOf(letter)
    path += strokes.map(stroke => strokePath(stroke, { x: x + (column - left) * unit, y: y - size, unit })).join('')
    column += width + letterGap
  }
  const pen = `fill="none" stroke-linecap="round" stroke-linejoin="round" stroke-width="${svgNumber(size * weight)}"`
  return path === '' ? '' : `<path d="${path}" ${pen} stroke="${colour}"/>`
}

/** Width of a line of text in pixels. */
export function textWidth(text: string, size: number): number {
  const columns = Array.from(text).reduce((sum, letter) => sum + glyphOf(letter).width + letterGap, -letterGap)
  return Math.max(0, columns) * (size / capitalRows)
}

/** Cuts a text that is wider than a place; two dots stand for what is cut. */
export function fittedText(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) return text
  const letters = Array.from(text)
  while (letters.length > 0 && textWidth(`${letters.join('')}..`, size) > width) letters.pop()
  return `${letters.join('')}..`
}

interface Glyph {
  readonly strokes: readonly (readonly string[])[]
  readonly left: number
  readonly width: number
}

/** The strokes of a letter as lists of points, with the columns it really takes. */
function glyphOf(letter: string): Glyph {
  if (letter === ' ') return { strokes: [], left: 0, width: blankWidth }
  const strokes = (glyphs[letter] ?? glyphs['?'] ?? '').split(' ').map(stroke => stroke.match(/../g) ?? [])
  const columns = strokes.flat().map(point => Number(point[0]))
  const left = Math.min(...columns)
  return { strokes, left, width: Math.max(...columns) - left }
}

function strokePath(
  points: readonly string[],
  { x, y, unit }: { readonly x: number; readonly y: number; readonly unit: number },
): string {
  const at = (point: string) => `${svgNumber(x + Number(point[0]) * unit)} ${svgNumber(y + Number(point[1]) * unit)}`
  // A stroke of one point is a dot: a line to itself with round ends.
  return `M${(points.length === 1 ? [...points, ...points] : points).map(at).join('L')}`
}
