// Fails when the packages do not work as a user installs them: packed, from the registry, without any install script. The
// script of onnxruntime-node would fetch CUDA libraries from elsewhere where it finds a GPU, and nothing of ours needs it.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { report } from './workspace.ts'

const packages = ['errors', 'core-drpo', 'rewards', 'tensor']

const program = `
import { estimateAdvantages } from '@qoq-med/core-drpo'
import { parseResponse } from '@qoq-med/rewards'
import { compileGraph, createExecutor, Graph, graphOps } from '@qoq-med/tensor'
const graph = new Graph()
const [x, weight] = [graph.input('x', [1, 2]), graph.input('weight', [2, 2])]
graph.output('y', graphOps(graph).linear(x, weight))
const executor = await createExecutor({ device: 'cpu', threads: 1 })
const compiled = await compileGraph(executor, graph)
const { y } = await compiled.run({ x: Float32Array.of(1, 2), weight: Float32Array.of(1, 0, 0, 1) })
await compiled.close()
await executor.close()
const { advantages } = estimateAdvantages('grpo', { rewards: [0, 1], questionIds: [1, 1], domains: ['a', 'a'] })
console.log(JSON.stringify([[...y], advantages.length, parseResponse('\\\\boxed{A}').labels]))
`

/** A program in CommonJS: Node loads modules without top-level await by `require`. */
const commonProgram = `
const { estimateAdvantages } = require('@qoq-med/core-drpo')
for (const name of ['errors', 'rewards', 'tensor']) require('@qoq-med/' + name)
const { advantages } = estimateAdvantages('grpo', { rewards: [0, 1], questionIds: [1, 1], domains: ['a', 'a'] })
console.log(advantages.length)
`

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Packs, installs and runs; answers what went wrong. */
function problemsOf(root: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'qoq-packed-'))
  try {
    for (const name of packages) run('pnpm', ['pack', '--pack-destination', folder], join(root, 'packages', name))
    const archives = readdirSync(folder).filter(name => name.endsWith('.tgz'))
    const runtime = catalogVersion(root, 'onnxruntime-node')
    writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }')
    const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
    run('npm', ['install', ...quiet, ...archives.map(name => `./${name}`), `onnxruntime-node@${runtime}`], folder)
    writeFileSync(join(folder, 'program.mjs'), program)
    const said = run('node', ['program.mjs'], folder).trim()
    const wanted = '[[1,2],2,["A"]]'
    const required = run('node', ['-e', commonProgram], folder).trim()
    return [
      ...(said === wanted ? [] : [`The packed packages say ${said}, not ${wanted}.`]),
      ...(required === '2' ? [] : [`A CommonJS program gets ${required}, not 2 advantages.`]),
    ]
  } catch (error) {
    return [`The packed packages do not install and run without scripts: ${String(error).slice(0, 500)}`]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function catalogVersion(root: string, name: string): string {
  const line = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')
    .split('\n')
    .find(text => text.trim().startsWith(`${name}: ^`))
  return line?.split(':')[1]?.trim() ?? 'latest'
}

if (import.meta.main) report(problemsOf(resolve(process.cwd())), 'The packed packages install and run without scripts.')
