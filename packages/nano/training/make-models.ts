// Makes the two models of this package anew, into a folder that is not there yet: node packages/nano/training/make-models.ts FOLDER
// It takes about an hour on two cores. On the same kind of processor the weights come out bit for bit (see the hashes in README.md).
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const [target] = process.argv.slice(2)
if (target === undefined) throw new Error('Name a folder to make, such as /tmp/nano.')
const folder = path.resolve(target)
const here = import.meta.dirname
const bin = path.resolve(here, '../../cli/dist/bin.js') // after `pnpm build`

function qoq(...args: readonly string[]): void {
  execFileSync(process.execPath, [bin, ...args], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] })
}

mkdirSync(folder)
for (const name of ['warm-start', 'policy']) cpSync(path.join(here, `${name}.yaml`), path.join(folder, `${name}.yaml`))
qoq('train', 'warm-start.yaml', '--out', 'warm-start-run')
qoq('train', 'policy.yaml', '--out', 'policy-run')
qoq(...'data synth --out judges --size 1800 --seed 4711 --preset balanced --difficulty easy'.split(' '))
const domains = ['ecg', 'chest_xray', 'ct', 'mammography', 'dermoscopy', 'fundus', 'mri', 'pathology', 'ultrasound']
const data = domains.flatMap(domain => ['--data', `mini_clinic_${domain}=judges`])
const models = { 'qoq-nano-warm-start': 'warm-start-run', 'qoq-nano': 'policy-run' }
for (const [name, run] of Object.entries(models)) {
  qoq('model', 'convert', `${run}/model`, name, '--dtype', 'bf16')
  qoq('eval', '--model', name, ...data, '--split', 'all', '--max-new-tokens', '160', '--out', `${name}-eval`)
  const weights = readFileSync(path.join(folder, name, 'model.safetensors'))
  console.log(`${name}: sha256 ${createHash('sha256').update(weights).digest('hex')}`)
}
qoq('compare', 'qoq-nano-warm-start-eval', 'qoq-nano-eval')
