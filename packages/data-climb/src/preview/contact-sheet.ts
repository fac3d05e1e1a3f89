import type { Sample } from '../sample/sample.ts'
import { ecgStrip } from './ecg-strip.ts'
import { markColours, markedPicture } from './marked-picture.ts'
import { fittedText, strokeText, textWidth } from './stroke-font.ts'
import { placed, type SvgDrawing } from './svg-drawing.ts'

/** A heading and the samples under it. */
export interface SheetSection {
  readonly title: string
  readonly samples: readonly Sample[]
}

/** What a contact sheet says at its top. */
export interface SheetHead {
  readonly title: string
  readonly note: string
}

const gap = 16
const picturePixels = 256
const picturesPerRow = 6
const sheetWidth = picturesPerRow * (picturePixels + gap) + gap
const stripsPerRow = 2
const captionHeight = 36
const headHeight = 76
const sectionHeight = 40
const ink = '#1a1a1a'
const faint = '#666'

/**
 * Lays samples out on one sheet: pictures with their boxes and mask outlines, ECGs on millimetre paper, and the true labels
 * under each. Of a video or a volume the first frame is shown, to which its masks belong.
 *
 * @throws what the samples' readers throw
 */
export async function contactSheet(sections: readonly SheetSection[], head: SheetHead): Promise<SvgDrawing> {
  const parts = [headOf(head)]
  let y = headHeight
  for (const { title, samples } of sections) {
    parts.push(strokeText(title, { x: gap, y: y + 24 }, { size: 13, colour: ink, weight: 0.16 }))
    y += sectionHeight
    for (const row of rowsOf(await Promise.all(samples.map(drawSample)))) {
      row.forEach((cell, i) => parts.push(placed(cell, gap + i * (cell.width + gap), y)))
      y += Math.max(...row.map(cell => cell.height)) + gap
    }
  }
  const ground = `<rect width="${sheetWidth}" height="${y}" fill="#fff"/>`
  return { width: sheetWidth, height: y, body: ground + parts.join('') }
}

function headOf({ title, note }: SheetHead): string {
  const legend = [
    { text: 'box', colour: markColours.box },
    { text: 'mask', colour: markColours.mask },
  ]
  let x = sheetWidth - gap
  const keys = legend.map(({ text, colour }) => {
    x -= textWidth(text, 9)
    const word = strokeText(text, { x, y: 32 }, { size: 9, colour: ink })
    x -= 34
    const swatch = `<rect x="${x}" y="20" width="24" height="14" fill="#444"/><rect x="${x + 4}" y="23" width="16" height="8" fill="none" stroke="${colour}" stroke-width="1.5"/>`
    x -= 18
    return swatch + word
  })
  return [
    strokeText(title, { x: gap, y: 36 }, { size: 18, colour: ink, weight: 0.16 }),
    strokeText(fittedText(note, 10, sheetWidth - 2 * gap), { x: gap, y: 62 }, { size: 10, colour: faint }),
    ...keys,
  ].join('')
}

async function drawSample(sample: Sample): Promise<SvgDrawing> {
  if (sample.ecg) {
    const strip = ecgStrip(await sample.ecg(), { pixelsPerMm: stripPixelsPerMm })
    return captioned(strip, sample)
  }
  const [picture] = (await sample.images?.()) ?? []
  if (!picture) return captioned({ width: picturePixels, height: picturePixels, body: '' }, sample)
  const boxes = (sample.boxes ?? []).map(box => ({ box }))
  const mask = await sample.mask?.()
  const drawing = await markedPicture(picture, { boxes, fitPixels: picturePixels, ...(mask && { mask }) })
  const [left, top] = [(picturePixels - drawing.width) / 2, (picturePixels - drawing.height) / 2]
  const ground = `<rect width="${picturePixels}" height="${picturePixels}" fill="#222"/>`
  return captioned({ width: picturePixels, height: picturePixels, body: ground + placed(drawing, left, top) }, sample)
}

/** Two strips of 265 mm beside each other. */
const stripPixelsPerMm = (sheetWidth - 3 * gap) / stripsPerRow / 265

function captioned({ width, height, body }: SvgDrawing, { answer, id, split }: Sample): SvgDrawing {
  const truth = strokeText(
    fittedText(answer.join(', '), 9, width),
    { x: 0, y: height + 16 },
    { size: 9, colour: ink, weight: 0.16 },
  )
  const name = id.slice(id.indexOf('/') + 1)
  const place = strokeText(
    fittedText(`${name} · ${split}`, 7, width),
    { x: 0, y: height + 31 },
    { size: 7, colour: faint },
  )
  return { width, height: height + captionHeight, body: body + truth + place }
}

/** Fills rows with drawings of one width as they come. */
function rowsOf(cells: readonly SvgDrawing[]): SvgDrawing[][] {
  const rows: SvgDrawing[][] = []
  let used = Infinity
  for (const cell of cells) {
    if (used + cell.width > sheetWidth) {
      rows.push([])
      used = gap
    }
    rows.at(-1)?.push(cell)
    used += cell.width + gap
  }
  return rows
}
