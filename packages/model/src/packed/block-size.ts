/** Weights that share a scale. */
export const blockSize = 32
