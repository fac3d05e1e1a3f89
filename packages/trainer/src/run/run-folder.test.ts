import { spawnSync } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../config/load-config.ts'
import { createRunFolder, resumeRunFolder, type RunFacts } from './run-folder.ts'

const config = parseConfig({
  name: 'small',
  model: { preset: 'qoq-nano' },
  data: { sources: [{ dataset: 'georgia', root: 'data' }] },
  stages: [{ name: 'warm', algorithm: 'sft', steps: 2, learningRate: 1e-3 }],
})
const facts: RunFacts = {
  config,
  versions: { trainer: '0.1.0' },
  dataFingerprint: 'abc',
  mediaFingerprint: 'def',
  baseFolder: '/data',
}
const emptyFolder = async (): Promise<string> => join(await mkdtemp(join(tmpdir(), 'qoq-run-')), 'run')

describe('a run folder', () => {
  test('refuses to overwrite a run', async () => {
    const path = await emptyFolder()
    await (await createRunFolder(path, facts)).release()
    await expect(createRunFolder(path, facts)).rejects.toMatchObject({ code: 'TRAINER_RUN_EXISTS' })
    expect((await readdir(path)).toSorted()).toEqual(['config.yaml', 'metrics.jsonl', 'run.json', 'samples.jsonl'])
  })

  test('takes no folder that holds something else, and leaves it as it is', async () => {
    const path = await emptyFolder()
    await mkdir(path)
    await writeFile(join(path, 'config.yaml'), 'name: mine')
    await expect(createRunFolder(path, facts)).rejects.toMatchObject({ code: 'TRAINER_FOLDER_TAKEN' })
    expect(await readFile(join(path, 'config.yaml'), 'utf8')).toBe('name: mine')
    const file = join(path, 'config.yaml')
    await expect(createRunFolder(file, facts)).rejects.toMatchObject({ code: 'TRAINER_FOLDER_TAKEN' })
  })

  test('is begun again where a kill came before its run.json', async () => {
    const path = await emptyFolder()
    await (await createRunFolder(path, facts)).release()
    await rm(join(path, 'run.json'))
    await createRunFolder(path, facts)
    expect(await readdir(path)).toContain('run.json')
  })

  test('belongs to one run at a time, and to the next after a kill', async () => {
    const path = await emptyFolder()
    const run = await createRunFolder(path, facts)
    await expect(resumeRunFolder(path, facts)).rejects.toMatchObject({ code: 'TRAINER_RUN_BUSY' })
    await run.release()
    await writeFile(join(path, 'run.lock'), String(process.ppid))
    await expect(resumeRunFolder(path, facts)).rejects.toMatchObject({ code: 'TRAINER_RUN_BUSY' })
    // A process that ended, a lock cut short, and this process's number from before a restart.
    const ended = spawnSync(process.execPath, ['--version']).pid
    for (const left of [String(ended), '', String(process.pid)]) {
      await writeFile(join(path, 'run.lock'), left)
      await (await resumeRunFolder(path, facts)).release()
    }
    expect(await readdir(path)).not.toContain('run.lock')
  })

  test('is not resumed from half a run.json', async () => {
    const path = await emptyFolder()
    await createRunFolder(path, facts)
    await writeFile(join(path, 'run.json'), '{')
    await expect(resumeRunFolder(path, facts)).rejects.toMatchObject({ code: 'TRAINER_NO_RUN' })
  })

  test('is resumed only with the configuration that started it, wherever it lies', async () => {
    const path = await emptyFolder()
    await expect(resumeRunFolder(path, facts)).rejects.toMatchObject({ code: 'TRAINER_NO_RUN' })
    await (await createRunFolder(path, facts)).release()
    await (await resumeRunFolder(path, { ...facts, config: { ...config, out: 'elsewhere' } })).release()
    const other = { ...facts, config: { ...config, seed: 1 } }
    await expect(resumeRunFolder(path, other)).rejects.toMatchObject({ code: 'TRAINER_RESUME_CONFIG' })
    for (const [name, says] of [
      ['dataFingerprint', 'answers differ'],
      ['mediaFingerprint', 'has changed'],
    ] as const)
      await expect(resumeRunFolder(path, { ...facts, [name]: 'x' })).rejects.toMatchObject({
        code: 'TRAINER_RESUME_DATA',
        message: expect.stringContaining(says),
      })
  })

  test('forgets what came after the step it is resumed at, and half a line', async () => {
    const path = await emptyFolder()
    const run = await createRunFolder(path, facts)
    for (const step of [1, 2, 3]) await run.metric({ stageIndex: 0, step })
    await appendFile(join(path, 'metrics.jsonl'), '{"stageIndex": 0, "st')
    await run.rewind(0, 2)
    expect(await readFile(join(path, 'metrics.jsonl'), 'utf8')).toBe(
      '{"stageIndex":0,"step":1}\n{"stageIndex":0,"step":2}\n',
    )
  })
})
