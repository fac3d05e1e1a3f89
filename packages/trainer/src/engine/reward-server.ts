/** A server of rewards and advantages. */
export interface RewardServer {
  readonly url: string
  /** What its requests are authorised with; none where it asks for no key. */
  readonly key?: string | undefined
  close(): Promise<void>
}

/** Where a server listens. */
export interface RewardServerPlace {
  /** Address of this machine as the job sees it. Default 127.0.0.1, which no other machine reaches. */
  readonly host?: string
  /** Default: a free one. */
  readonly port?: number
  /** The key of a server that was there before. Default: a new one. */
  readonly key?: string | undefined
}

/** Starts a server of rewards and advantages. */
export type StartRewardServer = (place?: RewardServerPlace) => Promise<RewardServer>
