/** Weights that share a scale. */
export type BlockSize = 32 | 64 | 128

/** That of codes which a checkpoint holds, and of what is rounded where nothing else is said. */
export const storedBlockSize = 32
