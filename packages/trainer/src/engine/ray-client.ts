import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { trainerErrors } from '../errors.ts'
import { jsonOrNothing } from '../run/json-or-nothing.ts'

/** A request to Ray's dashboard. */
export interface RayRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  /** Bytes as they are, or a value as JSON. */
  readonly body?: unknown
  /** Requests until Ray counts as away. Default 1. */
  readonly tries?: number
}

/** What Ray answers. */
export interface RayAnswer {
  readonly status: number
  readonly text: string
  /** The text as JSON, where it is some. */
  readonly json: unknown
}

const answerMs = 60_000
const firstPauseMs = 1000
const unauthorised = new Set([401, 403])

/**
 * Asks Ray's dashboard, with Ray's token where there is one. `fetch` cannot: it names itself a browser's, which Ray
 * refuses with 405.
 *
 * @throws TRAINER_ENGINE_AWAY when nothing answers, or the token is not taken
 */
export async function askRay(address: string, { tries = 1, ...request }: RayRequest): Promise<RayAnswer> {
  for (let left = tries - 1, pause = firstPauseMs; ; left--, pause *= 2) {
    try {
      const answer = await send(address, request)
      if (!unauthorised.has(answer.status)) return answer
      throw trainerErrors.ENGINE_AWAY({ address, reason: 'it does not take the token of RAY_AUTH_TOKEN' })
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error) && !isTimeout(error)) throw error
      if (left <= 0) throw trainerErrors.ENGINE_AWAY({ address, reason: reasonOf(error) }, { cause: error })
      await sleep(pause)
    }
  }
}

async function send(address: string, { method, path, body }: Omit<RayRequest, 'tries'>): Promise<RayAnswer> {
  const token = await rayToken()
  const url = new URL(path, address)
  const bytes = body === undefined || body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body))
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(bytes && { 'content-type': bytes === body ? 'application/octet-stream' : 'application/json' }),
    ...(bytes && { 'content-length': bytes.byteLength }),
  }
  return new Promise((resolve, reject) => {
    const ask = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, { method, headers }, async response => {
      try {
        const parts: Buffer[] = []
        for await (const part of response) parts.push(part as Buffer) // no encoding is set
        const text = Buffer.concat(parts).toString('utf8')
        resolve({ status: response.statusCode ?? 0, text, json: jsonOrNothing(text) })
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
    ask.setTimeout(answerMs, () => ask.destroy(new TimeoutError()))
    ask.on('error', reject)
    ask.end(bytes)
  })
}

/** Where Ray's own programs look for it: the environment, a file that it names, or one in the user's folder. */
async function rayToken(): Promise<string | undefined> {
  const { RAY_AUTH_TOKEN: token, RAY_AUTH_TOKEN_PATH: path = join(homedir(), '.ray', 'auth_token') } = process.env
  return (
    token ??
    (await readFile(path, 'utf8')
      .then(text => text.trim())
      .catch(() => undefined))
  )
}

class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

function isTimeout(error: unknown): boolean {
  return error instanceof TimeoutError || (error instanceof Error && 'code' in error && error.code === 'ECONNRESET')
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer in time'
  return { ECONNREFUSED: 'nothing listens there', ENOTFOUND: 'the name is not known' }[code] ?? code
}
