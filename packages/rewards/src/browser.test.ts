import { createContext, Script } from 'node:vm'
import { build, type Metafile } from 'esbuild'
import { expect, test } from 'vitest'
import { combine } from './combine.ts'
import { presets } from './presets.ts'

const response = '<think>a</think>\n```json\n[{"bbox_2d": [2, 2, 4, 6], "label": "Edema"}]\n```\n\\boxed{Edema}'
const truth = { answer: ['Edema'], mask: { width: 10, height: 10, rle: [22, 4, 6, 4, 6, 4, 6, 4, 44] } }

async function bundle(): Promise<{ code: string; metafile: Metafile }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [new URL('index.ts', import.meta.url).pathname],
    absWorkingDir: new URL('../..', import.meta.url).pathname,
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'rewards',
    conditions: ['@qoq-med/source'],
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  return { code: outputFiles[0]?.text ?? '', metafile }
}

test('the package bundles for a browser without a Node built-in and runs in a bare context', async () => {
  const { code, metafile } = await bundle()
  const imported = Object.values(metafile.inputs).flatMap(input => input.imports)
  expect(imported.filter(({ path, external }) => external === true || path.startsWith('node:'))).toEqual([])
  const foreign = Object.keys(metafile.inputs).filter(
    path => !/^(rewards|errors)\/src\/(?:[\w-]+\/)*[\w-]+\.ts$/.test(path),
  )
  expect(foreign).toEqual([])

  const context = createContext({ response, truth: JSON.stringify(truth) })
  new Script(code).runInContext(context)
  const call = 'JSON.stringify(rewards.combine(rewards.presets.paper)(response, JSON.parse(truth)))'
  const inBrowser: unknown = JSON.parse(new Script(call).runInContext(context))
  expect(inBrowser).toEqual(JSON.parse(JSON.stringify(combine(presets.paper)(response, truth))))
})

test('the linter runs in a bare context', async () => {
  const { code } = await bundle()
  const context = createContext({})
  new Script(code).runInContext(context)
  const call = 'rewards.lintReward(rewards.combine({ exactMatch: 1 })).then(rewards.renderLint)'
  expect(await new Script(call).runInContext(context)).toContain('No probe is paid more than an honest answer.')
})
