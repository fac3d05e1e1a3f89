import { runInNewContext } from 'node:vm'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { estimateAdvantages } from '../src/index.ts'

const batch = {
  rewards: [1, 0, 0.4, 0.2, 0.9, 0.1],
  questionIds: ['a', 'a', 'b', 'b', 'c', 'c'],
  domains: ['ecg', 'ecg', 'ecg', 'ecg', 'ct', 'ct'],
  kl: [0.2, 0.1, 0.3, 0, 0, 0.1],
}

describe('the bundle for a browser', () => {
  test('it needs nothing of Node and gives the same numbers where there is only the language', async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: [new URL('../src/index.ts', import.meta.url).pathname],
      conditions: ['@qoq-med/source'],
      bundle: true,
      platform: 'browser', // a Node built-in fails the build
      format: 'iife',
      globalName: 'coreDrpo',
      write: false,
      metafile: true,
    })
    const outside = Object.values(metafile.inputs).flatMap(input => input.imports.filter(({ external }) => external))
    expect(outside).toEqual([])
    const sandbox = { batch: JSON.stringify(batch) } // no process, require, Buffer, fetch or timers
    const answer: unknown = runInNewContext(
      `${outputFiles[0]!.text}
      const result = coreDrpo.estimateAdvantages('drpo', JSON.parse(batch))
      JSON.stringify({ advantages: [...result.advantages], words: coreDrpo.explainAdvantage(result, 0).words })`,
      sandbox,
    )
    const { advantages, words } = JSON.parse(String(answer)) as { advantages: number[]; words: string }
    expect(advantages).toEqual([...(estimateAdvantages('drpo', batch).advantages as Float64Array)])
    expect(words).toMatch(/^Response 0 to question a earned 1/)
  })
})
