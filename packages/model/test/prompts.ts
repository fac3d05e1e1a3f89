import type { Encoded } from '../src/prompt/encoded.ts'

/** A prompt of text tokens. */
export function textPrompt(tokenIds: Int32Array): Encoded {
  const axis = [...tokenIds.keys()]
  return {
    tokenIds,
    positionIds: Int32Array.from([...axis, ...axis, ...axis]),
    ropeDelta: 0,
    visionPositions: new Int32Array(),
    ecgPositions: new Int32Array(),
    vision: [],
    ecgs: [],
  }
}
