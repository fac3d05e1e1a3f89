import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { markedPicture, openDataset, svgToPng, synthesise } from '@qoq-med/data-climb'
import { defaultImageProcessor, seenSize } from '@qoq-med/encoders'
import type { Policy } from '@qoq-med/model'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { build } from 'vite'
import { createServer } from '../src/create-server.ts'
import { findingPolicy } from '../src/finding-policy.testing.ts'
import { listen } from '../src/listen.ts'

const root = path.resolve(import.meta.dirname, '..')

/** The browser of this machine; nothing where none is installed. */
export const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
)

/** Where screenshots go that a person wants to see. */
export const screenshots = process.env['QOQ_SCREENSHOTS']

/** A server with the page of the sources, before a browser. */
export interface PageServer {
  readonly address: string
  readonly folder: string
  readonly shown: ShownSample
  /** Lets the next answer wait after its first word; what it gives lets it go on. */
  readonly hold: () => () => void
  /** Opens the page anew; what it complains of, and what it asks for, is kept. */
  open(options?: BrowserContextOptions): Promise<Page>
  readonly problems: string[]
  readonly requests: string[]
  close(): Promise<void>
}

/** An answer with reasoning, as the log of an evaluation has it. */
const reasoned = {
  dataset: 'mini_clinic_mri',
  domain: 'mri',
  question: 'Which tumor is it?',
  truth: ['Glioma Tumor'],
  predicted: ['Glioma Tumor'],
  response:
    '<think>A bright mass lies on the left. MRI has no radiation. I see two moons.</think>\n```json\n[{"bbox_2d": [20, 30, 60, 80], "label": "mass"}]\n```\n\\boxed{Glioma Tumor}',
}

/** What the second picture of the page was drawn from. */
export interface ShownSample {
  readonly sampleId: string
  /** [x1, y1, x2, y2] in pixels of the picture as stored. */
  readonly box: readonly number[]
  readonly width: number
}

/**
 * Puts an MRI into a folder of runs: as the sample of an evaluation, whose data lies there, and as the picture that a run kept
 * of a rollout.
 */
async function writeShownSample(runs: string): Promise<ShownSample> {
  const dir = path.join(runs, 'clinic')
  await synthesise({ dir, seed: 3, size: 8, preset: 'balanced', difficulty: 'easy', domains: ['mri'] })
  const folder = path.join(dir, 'mri')
  const { samples } = await openDataset('mini_clinic_mri', { root: folder })
  const sample = samples.find(({ boxes }) => (boxes?.length ?? 0) > 0)! // most have a tumour
  const [image] = (await sample.images?.()) ?? []
  const { x1, y1, x2, y2 } = sample.boxes![0]!
  const box = [x1, y1, x2, y2].map(Math.round)
  const evaluation = path.join(runs, 'eval-drpo')
  const results = JSON.parse(await readFile(path.join(evaluation, 'results.json'), 'utf8'))
  results.config = { data: [`mini_clinic_mri=${folder}`] }
  await writeFile(path.join(evaluation, 'results.json'), JSON.stringify(results))
  await appendLine(path.join(evaluation, 'samples.jsonl'), { ...reasoned, sampleId: sample.id, boxes: [box] })
  const picture = 'pictures/0123456789abcdef.png'
  await mkdir(path.join(runs, 'run/pictures'))
  await writeFile(path.join(runs, 'run', picture), await svgToPng(await markedPicture(image!, { fitPixels: 256 })))
  const seen = { width: 2 * image!.width, height: 2 * image!.height }
  const response = `{"bbox_2d": [${box.map(value => 2 * value).join(', ')}]}`
  await appendLine(path.join(runs, 'run/samples.jsonl'), { step: 3, index: 0, domain: 'mri', response, seen, picture })
  return { sampleId: sample.id, box, width: image!.width }
}

async function appendLine(file: string, line: object): Promise<void> {
  await writeFile(file, `${JSON.stringify(line)}\n`, { flag: 'a' })
}

/** Builds the page, starts a server whose policy finds what is bright, and a browser. */
export async function startPage(): Promise<PageServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'qoq-page-'))
  const page = path.join(folder, 'page')
  await build({ configFile: path.join(root, 'page/vite.config.ts'), build: { outDir: page } })
  const runs = path.join(folder, 'runs')
  await cp(path.join(root, 'fixtures/demo-run'), runs, { recursive: true })
  const shown = await writeShownSample(runs)
  const gate = gatedPolicy()
  const app = createServer({ policy: gate.policy, page, runs })
  const address = await listen(app, { port: 0 })
  const browser: Browser = await chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox'] }) // asked first
  const problems: string[] = []
  const requests: string[] = []
  return {
    address,
    folder,
    shown,
    hold: gate.hold,
    problems,
    requests,
    open: async options => {
      const opened = await (await browser.newContext(options)).newPage()
      opened.on('request', request => requests.push(request.url()))
      opened.on('console', message => problems.push(message.text()))
      opened.on('pageerror', error => problems.push(error.message))
      await opened.goto(address)
      return opened
    },
    close: async () => {
      await browser.close()
      await app.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const seen = (size: { readonly width: number; readonly height: number }) => seenSize(size, defaultImageProcessor)

/** Finds what is bright, writing word by word, and scores labels by their length. */
function gatedPolicy(): { readonly policy: Policy; readonly hold: () => () => void } {
  let gate: Promise<void> | undefined
  const finding = findingPolicy('Glioma Tumor', seen)
  const policy: Policy & { score: (_: unknown, completions: readonly string[]) => Promise<object[]> } = {
    info: { name: 'finds-bright', maxPositions: 2048, modalities: ['text', 'image', 'ecg'] },
    seenSize: seen,
    async *generate(asked) {
      for await (const event of finding.generate(asked)) {
        if (event.type !== 'sample-end') continue
        for (const [tokenId, text] of (event.completion.text.match(/\S+\s*/g) ?? []).entries()) {
          yield { type: 'token', request: 0, sample: 0, token: { tokenId, logprob: -1 }, text, top: [] }
          if (tokenId === 0) await gate
        }
        yield { ...event, text: '' }
      }
    },
    score: async (_, completions) =>
      completions.map(text => ({ logprobs: Float32Array.of(-text.length / 4), tokenIds: Int32Array.of(1) })),
    close: async () => {},
  }
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    return resolve
  }
  return { policy, hold }
}
