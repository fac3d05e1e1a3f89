import type { StartRewardServer } from '@qoq-med/trainer'

/** Starts servers of rewards and advantages on this machine, for training engines outside this process. */
export const serveRewards: StartRewardServer = async again => {
  const { createServer, listen } = await import('@qoq-med/server')
  const policy = { info: { name: 'none', maxPositions: 1, modalities: [] }, close: async () => {} } as never
  const app = createServer({ policy, limits: { rows: 2 ** 21, tokens: 2 ** 31, bodyBytes: 64 * 2 ** 20 } })
  const url = await listen(app, { port: again?.port ?? 0 })
  return { url, key: again?.key, close: () => app.close() }
}
