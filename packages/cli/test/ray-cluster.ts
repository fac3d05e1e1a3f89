import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

/** A Ray of one machine. */
export interface RayCluster {
  readonly address: string
  stop(): Promise<void>
}

/**
 * Starts a Ray on loopback, with a folder of its own. Ray gives its processes about 15 s to start, which a busy machine
 * may not hold: a start that fails is tried again.
 *
 * @param python the interpreter that has it
 */
export async function startRay(python: string, tries = 5): Promise<RayCluster> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ray-')) // short: sockets lie below it
  const ports = await Promise.all([1, 2, 3, 4].map(freePort))
  const start = (...argv: string[]): Promise<void> =>
    new Promise((resolve, reject) => {
      const env = { ...process.env, RAY_USAGE_STATS_ENABLED: '0', RAY_AUTH_MODE: 'disabled' }
      // What it starts keeps its output open.
      const child = spawn(path.join(path.dirname(python), 'ray'), ['start', ...argv], { stdio: 'ignore', env })
      child.once('error', reject)
      child.once('exit', code => (code === 0 ? resolve() : reject(new Error(`ray start ended with ${code}`))))
    })
  const places = ['--port', String(ports[0]), '--dashboard-host', '127.0.0.1', '--dashboard-port', String(ports[1])]
  // A Ray that runs already has the ports that these are by default.
  const others = ['--ray-client-server-port', String(ports[2]), '--dashboard-agent-listen-port', String(ports[3])]
  const size = ['--num-cpus', '8', '--object-store-memory', '300000000', '--temp-dir', folder]
  try {
    await start('--head', '--disable-usage-stats', ...places, ...others, ...size)
  } catch (error) {
    await stopRay(folder)
    if (tries <= 1) throw error
    return startRay(python, tries - 1)
  }
  const address = `http://127.0.0.1:${ports[1]}`
  while (!(await answers(`${address}/api/version`))) await sleep(500)
  return { address, stop: () => stopRay(folder) }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
}

/** Ends the processes of one Ray: `ray stop` would end every Ray of the machine. */
async function stopRay(folder: string): Promise<void> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid,args'])
  for (const line of stdout.split('\n').filter(one => one.includes(folder))) {
    try {
      process.kill(Number(line.trim().split(' ')[0]), 'SIGKILL')
    } catch {
      // It ended by itself.
    }
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo // it listens on a port
      server.close(() => resolve(port))
    })
  })
}
