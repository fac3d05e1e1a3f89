import { drawOrder, type MixedRow, type MixedSource } from './draw-order.ts'

/**
 * Draws rows from several sources without end, in the order of `drawOrder`. Several readers share an order by taking every
 * n-th draw: see `shareOf`.
 *
 * @throws DATA_OPTION_INVALID when there is no source, or a size or weight is not above 0
 */
export function* mixedOrder(sources: readonly MixedSource[], seed: number): Generator<MixedRow> {
  const order = drawOrder(sources, seed)
  for (let draw = 0; ; draw++) yield order.at(draw)
}

/** The draws of one reader of several: every draw belongs to exactly one, and all together have the order. */
export function* shareOf<Item>(
  order: Iterable<Item>,
  { reader, readers }: { readonly reader: number; readonly readers: number },
): Generator<Item> {
  let i = 0
  for (const item of order) if (i++ % readers === reader) yield item
}
