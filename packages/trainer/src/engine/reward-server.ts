/** A server of rewards and advantages. */
export interface RewardServer {
  readonly url: string
  /** What its requests are authorised with; none where it asks for no key. */
  readonly key?: string | undefined
  close(): Promise<void>
}

/** Starts a server of rewards and advantages; given a port and a key, there and with that key again. */
export type StartRewardServer = (again?: {
  readonly port: number
  readonly key?: string | undefined
}) => Promise<RewardServer>
