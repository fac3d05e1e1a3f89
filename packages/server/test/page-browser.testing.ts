import { existsSync } from 'node:fs'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
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
  sampleId: 'mini_clinic_mri/mri-0009-1',
  dataset: 'mini_clinic_mri',
  domain: 'mri',
  question: 'Which tumor is it?',
  truth: ['Glioma Tumor'],
  predicted: ['Glioma Tumor'],
  response:
    '<think>A bright mass lies on the left. MRI has no radiation. I see two moons.</think>\n```json\n[{"bbox_2d": [20, 30, 60, 80], "label": "mass"}]\n```\n\\boxed{Glioma Tumor}',
  boxes: [{ x1: 20, y1: 30, x2: 60, y2: 80 }],
}

/** Builds the page, starts a server whose policy finds what is bright, and a browser. */
export async function startPage(): Promise<PageServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'qoq-page-'))
  const page = path.join(folder, 'page')
  await build({ configFile: path.join(root, 'page/vite.config.ts'), build: { outDir: page } })
  const runs = path.join(folder, 'runs')
  await cp(path.join(root, 'fixtures/demo-run'), runs, { recursive: true })
  await writeFile(path.join(runs, 'eval-drpo/samples.jsonl'), `${JSON.stringify(reasoned)}\n`, { flag: 'a' })
  const gate = gatedPolicy()
  const app = createServer({ policy: gate.policy, page, runs })
  const address = await listen(app, { port: 0 })
  const browser: Browser = await chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox'] }) // asked first
  const problems: string[] = []
  const requests: string[] = []
  return {
    address,
    folder,
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
