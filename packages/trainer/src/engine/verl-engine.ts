import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { TrainConfig } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import { clusterOf } from './cluster.ts'
import type { ExternalEngine } from './engine.ts'
import { newLog } from './new-log.ts'
import { pluginFolder } from './plugin-folder.ts'
import { readVersions, versionScript } from './python-versions.ts'
import { askRay } from './ray-client.ts'
import { rayJob, startRayJob } from './ray-job.ts'
import { folderFiles, rayPackage } from './ray-package.ts'
import { verlRefusals, verlSettings } from './verl-settings.ts'

/** verl on a Ray cluster. */
export const verlEngine: ExternalEngine = {
  name: 'verl',
  refused: (config, stage) => [
    ...verlRefusals(config, stage),
    ...(isHere(config) || clusterOf(config).folder !== undefined
      ? []
      : [{ field: 'cluster.folder', reason: 'leaves its model in a folder that its machines share' }]),
  ],
  settings: (config, stage) => ({ verl: verlSettings(config, stage) }),
  probe,
  serverHost: addressTowards,
  start: async ({ folder, config, environment }) => {
    const { python } = clusterOf(config)
    const files = await folderFiles(folder, name => /^(job\.json|rows\.jsonl|pictures\/.*)$/.test(name))
    for (const [name, bytes] of await folderFiles(pluginFolder(), isPythonPart)) files.set(name, bytes)
    return startRayJob(rayOf(config), {
      entrypoint: `${python} -m qoq_cluster.verl_train job.json`,
      files: rayPackage(files),
      environment: {
        ...environment,
        VERL_USE_EXTERNAL_MODULES: pluginModules(config)
          .map(name => `qoq_cluster.${name}`)
          .join(),
        ...(config.device === 'cpu' && { VERL_PLATFORM: 'cpu' }),
        QOQ_JOB: 'job.json',
        HF_HUB_OFFLINE: '1',
        PYTHONUNBUFFERED: '1',
        TOKENIZERS_PARALLELISM: 'false',
        RAY_DEDUP_LOGS: '0', // a step's line is none of a kind
      },
    })
  },
  open: (id, { config }) => rayJob(rayOf(config), id),
}

/** In the order in which verl must see them: everything asks for the platform. */
function pluginModules(config: TrainConfig): string[] {
  return [
    ...(config.device === 'cpu' ? ['verl_cpu'] : []),
    'verl_drpo',
    ...(clusterOf(config).rollout === 'transformers' ? ['verl_transformers'] : []),
  ]
}

function isPythonPart(name: string): boolean {
  return /^qoq_cluster\/\w+\.py$/.test(name)
}

/** @throws TRAINER_ENGINE_MISSING */
function rayOf(config: TrainConfig): string {
  const { ray } = clusterOf(config)
  if (ray !== undefined) return ray
  throw trainerErrors.ENGINE_MISSING({ engine: 'verl', what: 'the address of Ray', tried: '--ray and `cluster.ray`' })
}

function isHere(config: TrainConfig): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(rayOf(config)).hostname)
}

function miss(what: string, tried: string): Error {
  return trainerErrors.ENGINE_MISSING({ engine: 'verl', what, tried })
}

const Version = z.object({ ray_version: z.string() })
const Found = z.looseObject({ gpus: z.number().catch(0) })
const [probeMs, askingMs] = [180_000, 500]

/** Adds the GPUs of the cluster to the versions of packages. */
const gpuScript = [
  'import contextlib, io',
  'with contextlib.redirect_stderr(io.StringIO()):',
  '  import ray; ray.init(address="auto", log_to_driver=False); g = ray.cluster_resources().get("GPU", 0)',
  'print(json.dumps({**d, "gpus": g}))',
].join('\n')

/** Asks Ray for its version, and by a job of some seconds what its machines have. */
async function probe(config: TrainConfig): Promise<void> {
  const address = rayOf(config)
  const { python, rollout, nodes, processes } = clusterOf(config)
  const ray = Version.safeParse((await askRay(address, { method: 'GET', path: '/api/version' })).json).data?.ray_version
  if (ray === undefined || !/^2\.\d/.test(ray)) throw miss('Ray 2', `${address}, Ray ${ray ?? 'of no version'}`)
  const script = Buffer.from(versionScript.replace(/print\(json\.dumps\((.*)\)\)$/, 'd = $1\n') + gpuScript).toString(
    'base64',
  )
  const packages = ['verl', 'torch', 'transformers', rollout]
  const entrypoint = `${python} -c "import base64; exec(base64.b64decode('${script}'))" ${packages.join(' ')}`
  const job = await startRayJob(address, { entrypoint, environment: {} })
  for (let waited = 0; (await job.state()) === 'running'; waited += askingMs) {
    if (waited < probeMs) await sleep(askingMs)
    else await job.stop()
  }
  const found = readVersions(await newLog(job))
  const tried = `${address}, ${python} (Python ${found?.['python'] ?? 'missing'}${found?.['verl'] ? `, verl ${found['verl']}` : ''})`
  if (!found?.['verl']) throw miss('verl', tried)
  if (!String(found['verl']).startsWith('0.9.')) throw miss('verl 0.9', tried)
  for (const name of packages) if (!found[name]) throw miss(name, tried)
  const { gpus } = Found.parse(found)
  if (config.device !== 'cpu' && gpus < nodes * processes)
    throw miss(`${nodes * processes} GPUs`, `${address}, which has ${gpus}`)
}

/** The address of this machine on the way to Ray: where its machines reach a server here. */
async function addressTowards(config: TrainConfig): Promise<string> {
  const { hostname, port, protocol } = new URL(rayOf(config))
  const socket = connect({
    host: hostname.replaceAll(/[[\]]/g, ''),
    port: Number(port || (protocol === 'https:' ? 443 : 80)),
  })
  try {
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return socket.localAddress ?? '127.0.0.1'
  } finally {
    socket.destroy()
  }
}
