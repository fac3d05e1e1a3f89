import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { trainerErrors } from '../errors.ts'
import type { Job, JobState } from './engine.ts'
import { askRay } from './ray-client.ts'
import type { RayPackage } from './ray-package.ts'

/** What Ray is to run. */
export interface RayProgram {
  /** A line of a shell. */
  readonly entrypoint: string
  readonly environment: Readonly<Record<string, string>>
  readonly files?: RayPackage | undefined
}

const Submitted = z.object({ submission_id: z.string() })
const Info = z.object({ status: z.string(), message: z.string().nullish() })
const Logs = z.object({ logs: z.string() })

/** Requests to a Ray that is away for a moment: 1 + 2 + 4 + 8 + 16 s of waiting. */
const patientTries = 6
const stopMs = 60_000
const askingMs = 500

const states: ReadonlyMap<string, JobState> = new Map([
  ['SUCCEEDED', 'succeeded'],
  ['FAILED', 'failed'],
  ['STOPPED', 'stopped'],
])

/** Sends a program to Ray with its working directory. @throws TRAINER_ENGINE_AWAY */
export async function startRayJob(address: string, { entrypoint, environment, files }: RayProgram): Promise<Job> {
  if (files) await upload(address, files)
  const runtime = { env_vars: environment, ...(files && { working_dir: files.uri }) }
  const answer = await askRay(address, {
    method: 'POST',
    path: '/api/jobs/',
    body: { entrypoint, runtime_env: runtime },
  })
  const { data } = Submitted.safeParse(answer.json)
  if (!data) throw refusal(address, answer)
  return rayJob(address, data.submission_id)
}

/** A job that was sent to Ray, here or in a process before. */
export function rayJob(address: string, id: string): Job {
  const path = `/api/jobs/${encodeURIComponent(id)}`
  const info = async (): Promise<z.output<typeof Info>> => {
    const answer = await askRay(address, { method: 'GET', path, tries: patientTries })
    const { data } = Info.safeParse(answer.json)
    if (!data) throw refusal(address, answer)
    return data
  }
  const state = async (): Promise<JobState> => states.get((await info()).status) ?? 'running'
  let seen = 0
  let isReasonTold = false
  return {
    id,
    state,
    newLog: async function* () {
      const { status, message } = await info() // before the log, which is then whole at the end
      const { json } = await askRay(address, { method: 'GET', path: `${path}/logs`, tries: patientTries })
      const log = Logs.safeParse(json).data?.logs ?? '' // Ray gives no part of it
      yield log.slice(seen)
      seen = log.length
      if (status !== 'FAILED' || !message || isReasonTold) return
      isReasonTold = true
      yield `\n${message}\n` // what kept a job from starting stands in no log
    },
    stop: async () => {
      await askRay(address, { method: 'POST', path: `${path}/stop`, tries: patientTries })
      for (let waited = 0; waited < stopMs && (await state()) === 'running'; waited += askingMs) await sleep(askingMs)
    },
  }
}

async function upload(address: string, { uri, bytes }: RayPackage): Promise<void> {
  const path = `/api/packages/${uri.replace('://', '/')}`
  if ((await askRay(address, { method: 'GET', path })).status === 200) return
  const answer = await askRay(address, { method: 'PUT', path, body: bytes })
  if (answer.status !== 200) throw refusal(address, answer)
}

function refusal(address: string, { status, text }: { readonly status: number; readonly text: string }): Error {
  const [line = ''] = text.trim().split('\n').slice(-1)
  return trainerErrors.ENGINE_AWAY({ address, reason: `it answered ${status} ${line.slice(0, 200)}`.trim() })
}
