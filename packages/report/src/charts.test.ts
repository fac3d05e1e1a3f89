import { describe, expect, test } from 'vitest'
import { heatMapSvg, histogramSvg, intervalChartSvg, lineChartSvg } from './index.ts'

/** Text elements of a picture, in order. */
function textsOf(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = '']) => text)
}

/** How many marks of one kind a picture has. */
function marksOf(svg: string, role: string): number {
  const group = new RegExp(`<g class="mark-${role} role-mark[^>]*>(.*?)</g>`, 's')
  return (group.exec(svg)?.[1]?.match(/<path/g) ?? []).length
}

describe('charts', () => {
  test('intervals keep the order of their rows, and leave out ends that are not finite', async () => {
    const points = [
      { name: 'zeta', value: 0.2, lower: 0.1, upper: 0.3 },
      { name: 'alpha', value: 0.5, lower: Number.NaN, upper: Number.NaN },
    ]
    const svg = await intervalChartSvg({ title: 'T', xTitle: 'x', points, mark: 0 })
    const texts = textsOf(svg)
    expect(texts.indexOf('zeta')).toBeLessThan(texts.indexOf('alpha'))
    expect(svg).not.toContain('NaN')
    expect(marksOf(svg, 'symbol')).toBe(2)
  })

  test('a histogram counts both ends', async () => {
    const svg = await histogramSvg({ title: 'IoU', xTitle: 'IoU', values: [0, 1, 1], bins: 2 })
    expect(svg).toMatch(/count: 1/)
    expect(svg).toMatch(/count: 2/)
  })

  test('a heat map prints every count', async () => {
    const svg = await heatMapSvg({ title: 'C', xTitle: 'p', yTitle: 't', names: ['a', 'b'], counts: [31, 7, 0, 5] })
    expect(textsOf(svg)).toEqual(expect.arrayContaining(['31', '7', '0', '5']))
  })

  test('no text of a chart is markup', async () => {
    const svg = await lineChartSvg({
      title: '<script>x</script>',
      xTitle: '&',
      series: [{ name: 'a', points: [{ x: 0, y: 1 }] }],
    })
    expect(svg).not.toContain('<script>')
    expect(svg).not.toMatch(/https?:(?!\/\/www\.w3\.org)/)
  })
})
