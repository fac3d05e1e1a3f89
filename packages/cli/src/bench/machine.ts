import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { z } from 'zod'
import { version } from '../version.ts'

/** Where a benchmark ran. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly system: string
}

/** Describes this machine. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()} ${process.arch}`,
  }
}

/** Versions of what does our work. */
export function ownVersions(): Record<string, string> {
  const require = createRequire(import.meta.url)
  const ort = z.object({ version: z.string() }).parse(require('onnxruntime-node/package.json'))
  return { qoq: version, node: process.versions.node, 'onnxruntime-node': ort.version }
}

/**
 * The largest resident memory of this process so far. On Linux from its own status: what the system counts for a child
 * begins with the memory of the process that started it.
 */
export function peakRssBytes(): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    if (kilobytes !== undefined) return Number(kilobytes) * 1024
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024
}
