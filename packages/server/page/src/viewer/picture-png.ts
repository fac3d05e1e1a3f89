const exportWidth = 1200

/** Properties of style that a drawing takes from the page. */
const drawn = ['fill', 'stroke', 'stroke-width', 'font-size', 'font-family', 'vector-effect', 'paint-order']

/** A drawing of the page as PNG, with what lies over its pictures. */
export async function picturePng(svg: SVGSVGElement): Promise<Blob | null> {
  const { width, height } = svg.viewBox.baseVal
  const size = { width: exportWidth, height: Math.round((exportWidth * height) / width) }
  const picture = new Image()
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(standalone(svg, size))}`
  await picture.decode()
  const canvas = document.createElement('canvas')
  Object.assign(canvas, size)
  canvas.getContext('2d')?.drawImage(picture, 0, 0)
  return new Promise(resolve => canvas.toBlob(resolve, 'image/png'))
}

/** The drawing as a document of its own: the page's style sheet is not with it. */
function standalone(
  svg: SVGSVGElement,
  { width, height }: { readonly width: number; readonly height: number },
): string {
  const copy = svg.cloneNode(true) as SVGSVGElement // of the same kind
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  copy.setAttribute('width', String(width))
  copy.setAttribute('height', String(height))
  const originals = svg.querySelectorAll('*')
  for (const [i, element] of [...copy.querySelectorAll('*')].entries()) {
    const style = getComputedStyle(originals[i]!) // a copy has as many
    for (const name of drawn) element.setAttribute(name, style.getPropertyValue(name))
  }
  return new XMLSerializer().serializeToString(copy)
}
