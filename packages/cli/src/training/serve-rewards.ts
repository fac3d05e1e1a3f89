import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { StartRewardServer } from '@qoq-med/trainer'

const keyBytes = 32
/** 65,536 questions with 16 answers each are 65 MB. */
const bodyBytes = 128 * 2 ** 20
const rows = 2 ** 21
const tokens = 2 ** 31

/** Starts servers of rewards and advantages, for training engines outside this process. They answer whoever shows their key. */
export const serveRewards: StartRewardServer = async ({ host = '127.0.0.1', port = 0, key: given } = {}) => {
  const { createServer, listen } = await import('@qoq-med/server')
  const key = given ?? randomBytes(keyBytes).toString('base64url')
  const kept = { id: '00000000', name: 'job', hash: '', scopes: ['rewards' as const], createdAt: '' }
  const app = createServer({
    keys: { find: async shown => (isEqual(shown, key) ? kept : undefined) },
    limits: { rows, tokens, bodyBytes },
  })
  const url = new URL(await listen(app, { host: host === '127.0.0.1' ? host : '0.0.0.0', port }))
  url.hostname = host
  return { url: url.origin, key, close: () => app.close() }
}

function isEqual(shown: string, key: string): boolean {
  const [a, b] = [Buffer.from(shown), Buffer.from(key)]
  return a.length === b.length && timingSafeEqual(a, b)
}
