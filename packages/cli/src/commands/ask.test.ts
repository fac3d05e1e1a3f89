import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { encodeDicom, encodeNifti, synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, runInProcess } from '../run-in-process.testing.ts'
import { writeTinyModel } from '../tiny-model.testing.ts'

let cwd = ''
const files = { picture: '', ecg: '' }
const labels = ['Glioma Tumor', 'No Tumor', 'T2*']
const choice = labels.flatMap(label => ['--label', label])
const ask = (...argv: string[]) => runInProcess(['ask', '--model', 'run', '--max-new-tokens', '40', ...argv], { cwd })

beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-ask-'))
  await synthesise({ dir: path.join(cwd, 'clinic'), size: 4, seed: 1, domains: ['ecg', 'mri'] })
  const first = async (folder: string, suffix: string): Promise<string> =>
    path.join(
      'clinic',
      folder,
      (await readdir(path.join(cwd, 'clinic', folder))).find(name => name.endsWith(suffix))!,
    )
  files.picture = await first('mri/images', '.png')
  files.ecg = await first('ecg/records', '.hea')
  // The folder of a run: a model, and what it was trained on.
  await mkdir(path.join(cwd, 'run'))
  await writeTinyModel(path.join(cwd, 'run/model'))
  await writeFile(path.join(cwd, 'run/run.json'), '{}')
  const source = { dataset: 'mini_clinic_ecg', root: 'clinic' }
  const stages = [{ name: 'sft', algorithm: 'sft', steps: 1, learningRate: 0.001 }]
  const config = { name: 'x', model: { preset: 'qoq-nano' }, data: { sources: [source] }, stages }
  await writeFile(path.join(cwd, 'run/config.yaml'), JSON.stringify(config))
})
afterAll(() => rm(cwd, { recursive: true, force: true }))

describe('qoq ask with labels', () => {
  test.for([0, 1, 2])(
    'answers one of them whatever the model prefers (seed %d), with a probability each',
    async seed => {
      const { exitCode, stdout, stderr } = await ask(
        ...choice,
        '--temperature',
        '1.5',
        '--seed',
        `${seed}`,
        '--json',
        'Which?',
      )
      expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' })
      const answer = JSON.parse(stdout)
      expect(answer.labels).toHaveLength(1)
      expect(labels).toContain(answer.labels[0])
      expect(Object.keys(answer.probabilities)).toEqual(labels)
      const sum = Object.values<number>(answer.probabilities).reduce((total, value) => total + value, 0)
      expect(sum).toBeCloseTo(1, 6)
    },
  )

  test('answers some of them where several may apply', async () => {
    const { stdout } = await ask(...choice, '--multi', '--temperature', '1.5', '--json', 'Which?')
    for (const label of JSON.parse(stdout).labels) expect(labels).toContain(label)
  })

  test('shows people the likeliest first', async () => {
    const { stdout } = await ask(...choice, 'Which?')
    const shown = [...stdout.matchAll(/ (0\.\d{3})$/gm)].map(([, value]) => Number(value))
    expect(shown).toHaveLength(3)
    expect(shown).toEqual(shown.toSorted((a, b) => b - a))
  })
})

describe('qoq ask says', () => {
  test('that the question speaks of what was not given', async () => {
    const { stderr } = await ask('Is this chest X-ray normal?')
    expect(stderr).toContain('the question speaks of a picture, but none was given; add --image FILE')
    expect((await ask('--ecg', files.ecg, 'Which rhythm is this ECG?')).stderr).not.toContain('speaks of')
  })

  test('that the model was never trained on what it sees', async () => {
    const { stderr, stdout } = await ask('--image', files.picture, '--json', 'What?')
    expect(stderr).toContain('never trained on pictures')
    expect(JSON.parse(stdout).warnings).toEqual(['this model was never trained on pictures: its answer is a guess'])
    expect((await ask('--ecg', files.ecg, 'What?')).stderr).not.toContain('never trained')
  })

  test('which slices of a volume were looked at, in the window that was asked for', async () => {
    const voxels = Int16Array.from({ length: 20 * 20 * 12 }, (_, i) => (i % 400) - 100)
    const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
    const volume = {
      shape: [20, 20, 12],
      spacing: [1, 1, 1],
      affine,
      slope: 1,
      intercept: 0,
      warnings: [],
      dtype: 'int16',
      voxels,
    } as const
    await writeFile(path.join(cwd, 'scan.nii.gz'), gzipSync(encodeNifti(volume)))
    const { stderr, exitCode } = await ask('--image', 'scan.nii.gz', '--window', 'brain', 'What?')
    expect({ exitCode, says: stderr }).toMatchObject({
      exitCode: 0,
      says: expect.stringMatching(/looked at 4 of 12 slices/),
    })
  })
})

describe('qoq ask --out', () => {
  test.for(['answer.png', 'answer.html'])('draws pictures and ECGs to %s', async name => {
    const { exitCode, stdout } = await ask('--image', files.picture, '--ecg', files.ecg, '--out', name, 'What?')
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`Drawn: ${path.join(cwd, name)}`)
    const written = await readFile(path.join(cwd, name))
    const start = written.subarray(0, 8).toString('latin1')
    expect(start).toBe(name.endsWith('png') ? '\x89PNG\r\n\x1a\n' : '<!doctyp')
    expect(written.length).toBeGreaterThan(5000)
  })

  test.for([
    { argv: ['--out', 'answer.gif', '--image', 'x.png'], says: 'ends in .png or .html' },
    { argv: ['--out', 'answer.png'], says: 'given with --image or --ecg' },
    { argv: ['--window', 'liver'], says: 'CENTRE/WIDTH' },
    { argv: ['--window', '40/0'], says: 'CENTRE/WIDTH' },
  ])('refuses $argv', async ({ argv, says }) => {
    const result = await ask(...argv, '--json', 'What?')
    expect(result.exitCode).toBe(2)
    expect(errorOf(result)).toMatchObject({ code: 'CLI_VALUE_INVALID', message: expect.stringContaining(says) })
  })
})

test('a model answers where the configuration of its run cannot be read', async () => {
  await mkdir(path.join(cwd, 'damaged'))
  await writeTinyModel(path.join(cwd, 'damaged/model'))
  await writeFile(path.join(cwd, 'damaged/run.json'), '{}')
  await writeFile(path.join(cwd, 'damaged/config.yaml'), 'stages: [of another version')
  const command = ['ask', '--model', 'damaged', '--max-new-tokens', '2', '--json', 'What?']
  const { exitCode, stdout } = await runInProcess(command, { cwd })
  expect(exitCode).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ tokens: 2, warnings: [] })
})

test('a run that has not ended names its last checkpoint', async () => {
  for (const name of ['stage-0-step-2', 'stage-0-step-10', 'stage-0-step-9'])
    await mkdir(path.join(cwd, 'unfinished/checkpoints', name), { recursive: true })
  await writeFile(path.join(cwd, 'unfinished/run.json'), '{}')
  const result = await runInProcess(['ask', '--model', 'unfinished', '--json', 'What?'], { cwd })
  expect(errorOf(result)).toMatchObject({
    code: 'CLI_RUN_WITHOUT_MODEL',
    hint: expect.stringContaining('stage-0-step-10/model'),
  })
})

describe('qoq ask about', () => {
  test('a folder with a DICOM series, as it does about a volume', async () => {
    await mkdir(path.join(cwd, 'series'))
    for (const [i, level] of [100, 200, 300, 400, 500].entries()) {
      const image = { rows: 56, columns: 56, pixels: new Uint16Array(56 * 56).fill(level), bitsStored: 12 }
      const bytes = encodeDicom({ ...image, modality: 'MR', sopInstanceUid: `2.25.${i + 1}`, seriesUid: '2.25.9' })
      await writeFile(path.join(cwd, 'series', `${i}.dcm`), bytes)
    }
    const { exitCode, stderr } = await ask('--image', 'series', ...choice, 'Which?')
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringMatching(/series: looked at 4 of 5 slices[^]*ordered by their numbers/),
    })
    const report = await runInProcess(['data', 'inspect', 'series'], { cwd })
    expect(report.stdout).toMatch(
      /^format +dicom-series\nmodality +MR\n[^]*size +5 x 56 x 56\n[^]*patient fields +none/,
    )
    await rm(path.join(cwd, 'series'), { recursive: true })
    await mkdir(path.join(cwd, 'series'))
    expect(errorOf(await ask('--image', 'series', 'Which?', '--json')).code).toBe('DATA_SERIES_INVALID')
  })

  const video = path.resolve(
    process.env['QOQ_SHARED'] ?? path.join(import.meta.dirname, '../../../../../shared'),
    'data/us-covid-blues/lus_videos/patient_11_L1.mp4',
  )
  const why = existsSync(video) ? '' : ' (skipped: QOQ_SHARED has no such video)'
  test.skipIf(why !== '')(`a video that \`data inspect\` reads${why}`, async () => {
    const inspected = await runInProcess(['data', 'inspect', video], { cwd })
    // Where the optional package is missing, both say so.
    const isRead = inspected.exitCode === 0
    const asked = await ask('--image', video, ...choice, 'Which?')
    expect(asked.exitCode).toBe(inspected.exitCode)
    expect(isRead ? inspected.stdout : inspected.stderr).toMatch(isRead ? /duration \(s\) +2\.44/ : /node-av/)
    expect(asked.stderr).toMatch(isRead ? /looked at 4 of 61 frames/ : /node-av/)
  })
})
