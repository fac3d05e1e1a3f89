import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { openDataset, synthesise } from '@qoq-med/data-climb'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { evaluate } from '../src/index.ts'
import type { EvaluatedPolicy } from '../src/run/evaluated-policy.ts'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
if (!executablePath) console.log('Skipped: no Chromium is installed (apt-get install chromium)')

/** Answers with a box, and rightly every other time. */
function policyOf(answers: ReadonlyMap<string, readonly string[]>): EvaluatedPolicy {
  let asked = 0
  return {
    info: { name: 'a policy & co' },
    async *generate(requests) {
      for (const [request, { prompt }] of requests.entries()) {
        const part = prompt[0]!.content.at(-1)!
        const question = part.type === 'text' ? part.text : ''
        const labels = asked++ % 2 === 0 ? (answers.get(question) ?? []) : ['nothing of the list']
        const text = `<think>Seen.</think>\n\`\`\`json\n[{"bbox_2d":[20,20,60,60],"label":"x"}]\n\`\`\`\n\\boxed{${labels.join(', ')}}`
        yield { type: 'sample-end', request, completion: { text, finish: 'end', tokenIds: [1] } }
      }
    },
  }
}

/** Sexes by turns. */
function groupsOf({ patientId }: { readonly patientId: string }): Record<string, string> {
  return { sex: /[02468]$/.test(patientId) ? 'F' : 'M' }
}

describe.skipIf(!executablePath)('report.html in a browser, without network', () => {
  let folder = ''
  let browser: Browser
  let page: Page
  const requests: string[] = []
  const problems: string[] = []
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'qoq-report-'))
    const dir = path.join(folder, 'clinic')
    await synthesise({ dir, seed: 42, size: 36, domains: ['ecg', 'mri', 'chest_xray'], preset: 'balanced' })
    const sets = ['ecg', 'mri', 'chest_xray'].map(name => openDataset(`mini_clinic_${name}`, { root: dir }))
    const samples = (await Promise.all(sets)).flatMap(opened => opened.samples)
    const answers = new Map(samples.map(({ question, answer }) => [question, answer]))
    const outDir = path.join(folder, 'run')
    await evaluate({
      policy: policyOf(answers),
      samples,
      outDir,
      groupsOf,
      minPatients: 2,
      intervals: { resamples: 100 },
    })
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] }) // found, or skipped
    const context = await browser.newContext({ offline: true, viewport: { width: 1200, height: 900 } })
    page = await context.newPage()
    page.on('request', request => requests.push(request.url()))
    page.on('console', message => problems.push(message.text()))
    page.on('pageerror', error => problems.push(error.message))
    await page.goto(pathToFileURL(path.join(outDir, 'report.html')).href)
    const screenshot = process.env['QOQ_SCREENSHOT']
    if (screenshot) await page.screenshot({ path: screenshot, fullPage: true })
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('asks for nothing, and has no errors', () => {
    expect(requests.filter(url => !url.startsWith('data:'))).toHaveLength(1)
    expect(problems).toEqual([])
  })

  test('plots are drawn, with marks inside their frames', async () => {
    const charts = page.locator('svg.marks')
    expect(await charts.count()).toBeGreaterThanOrEqual(5) // domains, three confusions, IoU
    for (const chart of await charts.all()) {
      const box = (await chart.boundingBox())!
      expect(box.width).toBeGreaterThan(100)
      expect(box.width).toBeLessThanOrEqual(1200)
      expect(await chart.locator('path, rect, text').count()).toBeGreaterThan(3)
    }
  })

  test('pictures are decoded, with true and answered boxes; ECGs have twelve strips', async () => {
    const examples = page.locator('article.example')
    expect(await examples.count()).toBe(12)
    const pictures = page.locator('article.example image')
    expect(await pictures.count()).toBeGreaterThanOrEqual(2)
    // In the browser: this project's types know no document.
    const decoded: number[] = await page.evaluate(`Promise.all(
      [...document.querySelectorAll('article.example image')].map(async one => {
        const picture = new Image()
        picture.src = one.getAttribute('href') ?? one.getAttribute('xlink:href')
        await picture.decode()
        return picture.naturalWidth
      }),
    )`)
    expect(decoded.every(width => width > 50)).toBe(true)
    expect(await page.locator('article.example [stroke="#ffd400"]').count()).toBeGreaterThanOrEqual(2)
    expect(await page.locator('article.example [stroke="#00d5ff"]').count()).toBeGreaterThanOrEqual(1)
    const ecg = examples.filter({ hasText: 'mini_clinic_ecg' }).first().locator('svg')
    // Twelve leads, and their names, which are drawn as strokes.
    expect(await ecg.locator('path, polyline').count()).toBeGreaterThanOrEqual(24)
  })

  test('the keyboard reaches every answer and opens it', async () => {
    const opened = async (): Promise<number> => page.locator('details[open]').count()
    expect(await opened()).toBe(0)
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
    }
    expect(await opened()).toBe(12)
    expect(await page.locator('details[open] pre').first().isVisible()).toBe(true)
  })

  test('a policy name with markup is text', async () => {
    expect(await page.locator('h1').textContent()).toBe('Evaluation of a policy & co')
  })
})
