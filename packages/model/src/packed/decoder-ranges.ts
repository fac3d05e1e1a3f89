import type { DecoderConfig } from '../decoder/decoder-config.ts'
import type { LayerRange } from '../decoder/decoder.ts'
import type { PackedLayout } from './packed-layout.ts'

/** Bytes of a decoder from which on loading takes seconds, and its layers are two programs that load at the same time. */
const dividedBytes = 2 ** 30

/** Divides the layers of a decoder among programs, so that each has about as many bytes of weights to lay out; the last has the head. */
export function decoderRanges(
  { lengthBytes, entries }: Pick<PackedLayout, 'lengthBytes' | 'entries'>,
  { numLayers }: Pick<DecoderConfig, 'numLayers'>,
  programs: number = lengthBytes > dividedBytes ? 2 : 1,
): LayerRange[] {
  const layerBytes = [...entries.values()]
    .filter(({ names }) => names[0]?.startsWith('model.layers.'))
    .reduce((sum, { values, scales }) => sum + values.lengthBytes + (scales?.lengthBytes ?? 0), 0)
  const count = Math.min(programs, numLayers)
  const perLayer = layerBytes / numLayers
  const ends = Array.from({ length: count }, (_, at) => {
    const wanted = Math.round(((at + 1) * lengthBytes) / count / perLayer)
    // Every program has a layer, also where the head takes more than all of them.
    return at + 1 === count ? numLayers : Math.min(Math.max(wanted, at + 1), numLayers - (count - at - 1))
  })
  return ends.map((end, at) => ({ first: ends[at - 1] ?? 0, end }))
}
