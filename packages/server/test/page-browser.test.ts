import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { encodeDicom } from '@qoq-med/data-climb'
import type { Download, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, screenshots, startPage, type PageServer } from './page-browser.testing.ts'

if (!chromiumPath) console.log('Skipped: no Chromium is installed (apt-get install chromium)')

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

async function shot(page: Page, name: string): Promise<void> {
  if (screenshots) await page.screenshot({ path: path.join(screenshots, `${name}.png`), fullPage: true })
}

/** What axe-core calls serious or worse. The page's own policy lets no script in, so that it is told to the browser directly. */
async function seriousProblems(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(axeFile, 'utf8'))
  const found: { violations: { id: string; impact: string; nodes: { html: string }[] }[] } = await page.evaluate(
    'axe.run({ resultTypes: ["violations"] })',
  )
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

async function textOf(download: Download): Promise<string> {
  return readFile(await download.path(), 'utf8')
}

async function downloaded(page: Page, name: string): Promise<Download> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name, exact: true }).click(),
  ])
  return download
}

/** The first box that is drawn on a picture: x1, y1, x2, y2. */
async function boxNumbers(within: Locator): Promise<number[]> {
  const mark = within.locator('.sketch .mark').first()
  const names = ['x', 'y', 'width', 'height']
  const [x, y, width, height] = await Promise.all(names.map(async name => Number(await mark.getAttribute(name))))
  return [x!, y!, x! + width!, y! + height!]
}

const pickExample = async (page: Page, name: string): Promise<void> =>
  page.getByRole('button', { name, exact: true }).click()

/** A scan of 64 by 64 pixels: dark, with a bright square from 20 to 40. */
const scan = Buffer.from(
  encodeDicom({
    rows: 64,
    columns: 64,
    pixels: Uint16Array.from({ length: 64 * 64 }, (_, i) => {
      const [x, y] = [i % 64, Math.floor(i / 64)]
      return x >= 20 && x < 40 && y >= 20 && y < 40 ? 2000 : 400
    }),
    bitsStored: 12,
    modality: 'DX',
    sopInstanceUid: '1.2.3.4',
    window: { center: 1024, width: 2048 },
  }),
)

describe.skipIf(!chromiumPath)('the page in a browser', () => {
  let server: PageServer
  let page: Page
  beforeAll(async () => {
    server = await startPage()
    page = await server.open({ viewport: { width: 1400, height: 950 } })
  }, 120_000)
  afterAll(async () => server?.close())

  test('example, streamed answer, boxes where the finding lies, probabilities', async () => {
    await pickExample(page, 'MRI')
    await page.getByRole('img', { name: /^Picture/ }).waitFor()
    const goOn = server.hold()
    await page.getByRole('button', { name: 'Ask the model' }).click()
    // The policy waits after its first word: what is shown until then came by the stream.
    await page.locator('pre.stream', { hasText: '<think>It' }).waitFor()
    expect(await page.locator('.labels li').count()).toBe(0)
    goOn()
    await page.locator('.labels li', { hasText: 'Glioma Tumor' }).waitFor()
    expect(await page.locator('.reasoning').first().textContent()).toBe('It is bright.')
    const box = page.locator('.box rect').first()
    await box.waitFor()
    const picture = (await page.locator('svg.picture image').boundingBox())!
    const drawn = (await box.boundingBox())!
    expect(drawn.x).toBeGreaterThanOrEqual(picture.x - 2)
    expect(drawn.x + drawn.width).toBeLessThanOrEqual(picture.x + picture.width + 2)
    const shares = await page.locator('.bars li span:last-child').allTextContents()
    expect(shares).toHaveLength(4)
    expect(shares.reduce((sum, share) => sum + Number.parseFloat(share), 0)).toBeCloseTo(100, 0)
    await shot(page, 'example')
  })

  test('FHIR, JSON and PNG are saved; an answer stays in the history of the browser', async () => {
    const bundle = JSON.parse(await textOf(await downloaded(page, 'FHIR')))
    expect([bundle.resourceType, bundle.entry[0].resource.status]).toEqual(['Bundle', 'preliminary'])
    expect(JSON.parse(await textOf(await downloaded(page, 'JSON')))).toMatchObject({ labels: ['Glioma Tumor'] })
    const png = await readFile(await (await downloaded(page, 'PNG')).path())
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    expect(png.length).toBeGreaterThan(2000)
    expect(await page.locator('.history summary').textContent()).toContain('(1)')
  })

  test('DICOM: boxes on the pixels that were sent, window by mouse and numbers, SR', async () => {
    await page.locator('input[type=file]').setInputFiles({ name: 'a.dcm', mimeType: 'application/dicom', buffer: scan })
    const image = page.locator('svg.picture image')
    await page.getByRole('img', { name: /64 by 64/ }).waitFor()
    expect(await page.getByLabel('Center').inputValue()).toBe('1024')
    const before = await image.getAttribute('href')
    await page.getByRole('button', { name: 'Mouse sets window' }).click()
    const { x, y, width, height } = (await page.locator('svg.picture').boundingBox())!
    await page.mouse.move(x + width / 2, y + height / 2)
    await page.mouse.down()
    await page.mouse.move(x + width / 2 - 40, y + height / 2, { steps: 4 })
    await page.mouse.up()
    await expect.poll(async () => image.getAttribute('href'), { timeout: 10_000 }).not.toBe(before)
    expect(Number(await page.getByLabel('Width').inputValue())).toBeLessThan(2048)
    await shot(page, 'window')
    await page.getByRole('button', { name: 'Ask the model' }).click()
    const box = page.locator('.box rect').first()
    await box.waitFor()
    const numbers = await Promise.all(
      ['x', 'y', 'width', 'height'].map(async name => Number(await box.getAttribute(name))),
    )
    // The picture is seen larger than it is: half a pixel of it is less than one that is seen.
    for (const [i, want] of [20, 20, 20, 20].entries()) expect(Math.abs(numbers[i]! - want)).toBeLessThanOrEqual(1.5)
    const report = await readFile(await (await downloaded(page, 'DICOM SR')).path())
    expect(report.subarray(128, 132).toString()).toBe('DICM')
  })

  test('an ECG on millimetre paper, measured by mouse and by numbers', async () => {
    await pickExample(page, 'ECG')
    await page.locator('svg.ecg').waitFor()
    expect(await page.locator('.trace').count()).toBe(13)
    const leads = await page.locator('.trace text').allTextContents()
    expect(leads.slice(0, 3)).toEqual(['I', 'II', 'III'])
    // 25 mm a second, 10 mm a millivolt: 4 columns of 2.5 s are 250 mm, 4 rows of 3 mV are 120 mm.
    expect(await page.locator('svg.ecg').getAttribute('viewBox')).toBe('0 0 250 120')
    await page.getByLabel('From (s)').fill('1')
    await page.getByLabel('To (s)').fill('1.8')
    await page.keyboard.press('Tab')
    expect(await page.locator('output').textContent()).toContain('800 ms, 75 per minute')
    const { x, y, width } = (await page.locator('svg.ecg').boundingBox())!
    await page.mouse.move(x + width * 0.2, y + 40)
    await page.mouse.down()
    await page.mouse.move(x + width * 0.24, y + 40, { steps: 3 })
    await page.mouse.up()
    expect(await page.locator('output').textContent()).toMatch(/^(399|400|401) ms, 150 per minute/)
    await shot(page, 'ecg')
  })

  test('a slider goes through the slices of a volume', async () => {
    await pickExample(page, 'CT')
    const slider = page.getByRole('slider')
    await slider.waitFor()
    const image = page.locator('svg.picture image')
    const middle = await image.getAttribute('href')
    await slider.focus()
    await page.keyboard.press('ArrowRight')
    expect(await image.getAttribute('href')).not.toBe(middle)
    await page.keyboard.press('Home')
    expect(await page.locator('.slider').textContent()).toContain('Slice 1 of')
    await shot(page, 'volume')
  })

  test('training runs have curves by domain, and answers with why they earned what they earned', async () => {
    await page.getByRole('tab', { name: 'Training runs' }).click()
    await page.locator('.chart').first().waitFor()
    expect(await page.locator('.chart').count()).toBeGreaterThanOrEqual(8)
    expect(await page.locator('.chart').first().locator('path.line').count()).toBe(3)
    await page.locator('.rollout summary').first().click()
    expect(await page.locator('.rollout').first().textContent()).toContain('as every response to it did')
    await shot(page, 'runs')
  })

  test('a picture that a run kept is shown under the boxes of its answer, in the pixels that the model saw', async () => {
    const rollout = page.locator('.rollout').last()
    await rollout.locator('summary').click()
    const image = rollout.locator('svg.sketch image')
    await image.waitFor()
    expect(await image.getAttribute('href')).toMatch(/^\/v1\/pictures\/[0-9a-f-]{36}$/)
    expect(await image.getAttribute('width')).toBe(String(2 * server.shown.width))
    expect(await boxNumbers(rollout)).toEqual(server.shown.box.map(value => 2 * value))
    await shot(page, 'run-picture')
  })

  test('evaluations have intervals; statements and boxes are graded and saved', async () => {
    await page.getByRole('tab', { name: 'Evaluations' }).click()
    await page.locator('table').waitFor()
    expect(await page.locator('tbody tr').count()).toBe(4)
    expect(await page.locator('table').textContent()).toMatch(/0\.000 \(0\.000 to 0\.\d{3}\)/)
    await page.getByLabel('Your name or initials').fill('AB')
    for (let i = 0; i < 3; i++) await page.getByRole('button', { name: 'Next' }).click()
    await page.getByRole('group', { name: 'A bright mass lies on the left.' }).getByLabel('high').check()
    await page.getByRole('group', { name: 'MRI has no radiation.' }).getByLabel('low').check()
    await page.getByRole('group', { name: 'Box 1' }).getByLabel('partly').check()
    // The data of this sample lies in the folder that is shown: its picture lies under the box, in its own pixels.
    const image = page.locator('article svg.sketch image')
    await image.waitFor()
    expect(await image.getAttribute('width')).toBe(String(server.shown.width))
    expect(await boxNumbers(page.locator('article'))).toEqual(server.shown.box)
    await shot(page, 'annotation')
    const lines = (await textOf(await downloaded(page, 'Save grades')))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    const { sampleId } = server.shown
    expect(lines).toEqual([
      { sampleId, statement: 0, text: 'A bright mass lies on the left.', grade: 'high', rater: 'AB' },
      { sampleId, statement: 1, text: 'MRI has no radiation.', grade: 'low', rater: 'AB' },
    ])
    const boxes = await textOf(await downloaded(page, 'Save grades of boxes'))
    expect(JSON.parse(boxes)).toEqual({ sampleId, box: 0, grade: 'partly', rater: 'AB' })
  })

  test('says what went wrong and what to do', async () => {
    await page.getByRole('tab', { name: 'Try' }).click()
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') })
    await page.getByRole('alert').waitFor()
    const [what = '', todo = ''] = await page.getByRole('alert').locator('p').allTextContents()
    expect(what).toMatch(/not known\.$/)
    expect(todo).toMatch(/are inspected\.$/)
  })

  test('with the keyboard alone: example, question, answer, and the other tabs', async () => {
    const keyed = await server.open()
    const pressUntil = async (name: RegExp): Promise<void> => {
      for (let i = 0; i < 60; i++) {
        const focused = String(await keyed.evaluate('document.activeElement.innerText ?? ""'))
        if (name.test(focused)) return
        await keyed.keyboard.press('Tab')
      }
      throw new Error(`nothing focused is ${name}`)
    }
    const focusedRole = async () => keyed.evaluate('document.activeElement.getAttribute("role")')
    await keyed.getByRole('button', { name: 'Chest X-ray' }).waitFor()
    await pressUntil(/^Chest X-ray$/)
    await keyed.keyboard.press('Enter')
    await keyed.getByRole('img', { name: /^Picture/ }).waitFor()
    await pressUntil(/^Ask the model$/)
    await keyed.keyboard.press('Space')
    await keyed.locator('.labels li').waitFor()
    for (let i = 0; i < 60 && (await focusedRole()) !== 'tab'; i++) await keyed.keyboard.press('Shift+Tab')
    await keyed.keyboard.press('ArrowRight')
    expect(await keyed.locator('[role=tabpanel]:not([hidden])').getAttribute('id')).toBe('panel-runs')
    await keyed.context().close()
  })

  test.for([
    { name: 'light', options: { viewport: { width: 1200, height: 900 } } },
    { name: 'dark', options: { viewport: { width: 1200, height: 900 }, colorScheme: 'dark' as const } },
    { name: 'phone', options: { viewport: { width: 375, height: 750 }, isMobile: true } },
  ])(
    '$name: nothing wider than the screen, and axe-core finds nothing serious in any tab',
    async ({ name, options }) => {
      const opened = await server.open(options)
      await pickExample(opened, 'MRI')
      await opened.getByRole('img', { name: /^Picture/ }).waitFor()
      await opened.getByRole('button', { name: 'Ask the model' }).click()
      await opened.locator('.labels li').waitFor()
      for (const tab of ['Try', 'Training runs', 'Evaluations']) {
        await opened.getByRole('tab', { name: tab }).click()
        await opened.locator('[role=tabpanel]:not([hidden]) :is(.chart, table, .labels)').first().waitFor()
        expect(await seriousProblems(opened)).toEqual([])
        expect(await opened.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
        await shot(opened, `${name}-${tab.toLowerCase().replace(' ', '-')}`)
      }
      await opened.context().close()
    },
  )

  test('asks its own server alone, and nothing breaks its policy', () => {
    expect(server.requests.filter(url => !url.startsWith(server.address) && !/^(data|blob):/.test(url))).toEqual([])
    // A file that is none is refused with 400, which the browser notes.
    expect(server.problems.filter(text => !text.includes('400 (Bad Request)'))).toEqual([])
  })

  test('the reference of the routes loads nothing, and breaks none of its rules', async () => {
    const docs = await server.open({ viewport: { width: 1000, height: 900 } })
    await docs.waitForLoadState('networkidle') // the page itself has asked for all it needs
    const [asked, told] = [server.requests.length, server.problems.length]
    await docs.goto(`${server.address}/docs`)
    await docs.getByRole('heading', { name: 'POST /v1/chat/completions' }).waitFor()
    expect(server.requests.slice(asked)).toEqual([`${server.address}/docs`])
    expect(await docs.evaluate('getComputedStyle(document.querySelector(".notice")).padding')).not.toBe('0px')
    expect(await seriousProblems(docs)).toEqual([])
    await shot(docs, 'docs')
    await docs.close()
    expect(server.problems.slice(told)).toEqual([])
  })
})
