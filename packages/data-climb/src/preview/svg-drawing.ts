import sharp from 'sharp'

/** A drawing in pixels: `body` are SVG elements between (0, 0) and (width, height). */
export interface SvgDrawing {
  readonly width: number
  readonly height: number
  readonly body: string
}

/** Writes a drawing as an SVG document that stands alone. */
export function svgDocument({ width, height, body }: SvgDrawing): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${body}</svg>`
}

/** Renders a drawing as PNG. Drawings of this package hold no text elements, so that no font is needed. */
export async function svgToPng(drawing: SvgDrawing): Promise<Uint8Array> {
  const png = await sharp(Buffer.from(svgDocument(drawing)), { unlimited: true })
    .png()
    .toBuffer()
  return new Uint8Array(png)
}

/** Places a drawing inside another one. */
export function placed(drawing: SvgDrawing, x: number, y: number): string {
  return `<g transform="translate(${svgNumber(x)} ${svgNumber(y)})">${drawing.body}</g>`
}

/** Writes a coordinate with at most two decimals. */
export function svgNumber(value: number): string {
  return String(Math.round(value * 100) / 100)
}
