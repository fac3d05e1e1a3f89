import { writeFile } from 'node:fs/promises'
import type { SvgDrawing } from '@qoq-med/data-climb'
import type { ParsedResponse } from '@qoq-med/rewards'
import { writeWhole } from '../output-file.ts'
import type { AskedMedia } from './asked-media.ts'

/** The longer side of a drawn picture, in pixels. */
const pictureSize = 640

/** What is drawn. */
export interface DrawnAnswer {
  readonly question: string
  readonly media: AskedMedia
  /** Boxes in pixels of the files. */
  readonly parsed: ParsedResponse
  /** The answer in words, as the terminal shows it. */
  readonly words: string
}

/**
 * Writes an answer as a picture (.png) or a page (.html): every picture or slice with its boxes, the ECGs on millimetre paper,
 * and on the page the words.
 */
export async function drawAnswer(file: string, answer: DrawnAnswer): Promise<void> {
  const drawings = await drawingsOf(answer)
  const content = /\.html?$/i.test(file) ? await page(answer, drawings) : await stackedPng(drawings)
  await writeWhole(file, partial => writeFile(partial, content))
}

async function drawingsOf({ media, parsed }: DrawnAnswer): Promise<SvgDrawing[]> {
  const { ecgStrip, markedPicture } = await import('@qoq-med/data-climb')
  const pictures = media.pictures.map((picture, index) => {
    const boxes = parsed.boxes.flatMap(({ image = 0, label, ...box }) =>
      image === index ? [{ box, ...(label !== undefined && { label }) }] : [],
    )
    return markedPicture(picture, { boxes, fitPixels: pictureSize })
  })
  return [...(await Promise.all(pictures)), ...media.ecgs.map(ecg => ecgStrip(ecg))]
}

async function stackedPng(drawings: readonly SvgDrawing[]): Promise<Uint8Array> {
  const { placedDrawing, svgToPng } = await import('@qoq-med/data-climb')
  let height = 0
  const bodies = drawings.map(drawing => {
    const body = placedDrawing(drawing, 0, height)
    height += drawing.height
    return body
  })
  const width = Math.max(...drawings.map(drawing => drawing.width))
  const ground = `<rect width="${width}" height="${height}" fill="#fff"/>`
  return svgToPng({ width, height, body: ground + bodies.join('') })
}

async function page({ question, words }: DrawnAnswer, drawings: readonly SvgDrawing[]): Promise<string> {
  const { svgDocument } = await import('@qoq-med/data-climb')
  const { escapeHtml, htmlPage } = await import('@qoq-med/report')
  const sections = [`<p>${escapeHtml(question)}</p>`, ...drawings.map(svgDocument), `<pre>${escapeHtml(words)}</pre>`]
  return htmlPage('Answer', sections)
}
