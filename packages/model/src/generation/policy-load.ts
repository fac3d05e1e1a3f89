/** What a policy does at a moment: sizes for whoever watches it. */
export interface PolicyLoad {
  /** Answers that have not begun. */
  readonly waitingAnswers: number
  /** Answers that the next step writes a token of. */
  readonly batchSize: number
  /** Answers that may run together. */
  readonly batchLimit: number
  /** Tokens whose keys and values are in use, and for which there is room now; the room grows and shrinks. */
  readonly cachedTokens: number
  readonly cacheTokens: number
}
