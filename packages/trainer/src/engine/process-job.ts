import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Job, JobState } from './engine.ts'

/** A program that outlives this process. */
export interface JobProgram {
  readonly command: readonly [program: string, ...args: string[]]
  readonly environment: Readonly<Record<string, string>>
}

/** How long a program has to end by itself. */
const endingMs = 10_000
const askingMs = 100
/** Of a log that are read at once. */
const pieceBytes = 2 ** 20

/**
 * Starts a program in a session of its own. Its output goes to `log` of the folder, and what it ended with to `exit`: another process
 * can follow it by its folder and number alone.
 */
export async function startProcess(folder: string, { command, environment }: JobProgram): Promise<Job> {
  const log = await open(join(folder, 'log'), 'w')
  const script = '"$@"; echo $? > exit.part; mv exit.part exit'
  const child = spawn('/bin/sh', ['-c', script, 'sh', ...command], {
    cwd: folder,
    detached: true,
    env: { ...process.env, ...environment },
    stdio: ['ignore', log.fd, log.fd],
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  child.unref()
  await log.close()
  return processJob(folder, String(child.pid))
}

/** A program that `startProcess` started, here or in a process before. */
export function processJob(folder: string, id: string): Job {
  const group = -Number(id)
  const ended = async (): Promise<JobState | undefined> => {
    const code = await readFile(join(folder, 'exit'), 'utf8').catch(() => undefined)
    if (code === undefined) return undefined
    return code.trim() === 'stopped' ? 'stopped' : code.trim() === '0' ? 'succeeded' : 'failed'
  }
  return {
    id,
    state: async () => (await ended()) ?? (isAlive(group) ? 'running' : ((await ended()) ?? 'failed')),
    newLog: logReader(join(folder, 'log')),
    stop: async () => {
      if (existsSync(join(folder, 'exit'))) return
      signalGroup(group, 'SIGTERM')
      for (let waited = 0; waited < endingMs && isAlive(group); waited += askingMs) await sleep(askingMs)
      signalGroup(group, 'SIGKILL')
      await writeFile(join(folder, 'exit'), 'stopped')
    },
  }
}

/** Gives a file that grows in pieces of at most `pieceBytes`. */
function logReader(file: string): () => AsyncIterable<string> {
  const decoder = new StringDecoder('utf8') // a piece may end within a character
  const piece = Buffer.alloc(pieceBytes)
  let at = 0
  return async function* () {
    const handle = await open(file).catch(() => undefined)
    if (!handle) return
    try {
      for (let bytesRead = pieceBytes; bytesRead === pieceBytes;) {
        ;({ bytesRead } = await handle.read(piece, 0, pieceBytes, at))
        at += bytesRead
        yield decoder.write(piece.subarray(0, bytesRead))
      }
    } finally {
      await handle.close()
    }
  }
}

function isAlive(group: number): boolean {
  return signalGroup(group, 0)
}

function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(group, signal)
  } catch {
    return false // it is over
  }
}
