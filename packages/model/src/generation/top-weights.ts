/**
 * Moves the best elements to the front of `order`, as many as are needed until their weights reach `limit`: an element
 * stays while the weights of all better ones sum to less. With weights of 1 this is top-k, with probabilities top-p.
 * Quickselect: linear time, where a sort of a whole vocabulary would cost more than the model's step.
 *
 * @param order indices into `values`; reordered. Better is the larger value, then the smaller index
 * @returns how many stay, at least one if there is any
 */
export function selectTop(
  order: Int32Array,
  values: ArrayLike<number>,
  weight: (index: number) => number,
  limit: number,
): number {
  let start = 0
  let end = order.length
  let before = 0
  while (end - start > 1) {
    const middle = partition(order, values, start, end)
    let mass = 0
    for (let i = start; i < middle; i++) mass += weight(order[i]!)
    if (before + mass >= limit) end = middle
    else {
      before += mass + weight(order[middle]!)
      start = middle + 1
    }
  }
  if (start < end && before < limit) start++
  return Math.max(start, Math.min(1, order.length))
}

/** Puts what is better than a pivot before it; answers the pivot's place. */
function partition(order: Int32Array, values: ArrayLike<number>, start: number, end: number): number {
  const last = end - 1
  swap(order, (start + end) >> 1, last)
  const pivot = order[last]!
  let place = start
  for (let i = start; i < last; i++) {
    if (isBetter(values, order[i]!, pivot)) swap(order, i, place++)
  }
  swap(order, place, last)
  return place
}

function isBetter(values: ArrayLike<number>, a: number, b: number): boolean {
  return values[a]! > values[b]! || (values[a] === values[b] && a < b)
}

function swap(order: Int32Array, i: number, j: number): void {
  const kept = order[i]!
  order[i] = order[j]!
  order[j] = kept
}
